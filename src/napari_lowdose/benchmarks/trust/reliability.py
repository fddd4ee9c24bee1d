"""Whether what is said to be a phantom at 30 % is one in 30 of 100 cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64
from numpy import ndarray

from napari_lowdose.benchmarks.trust.gathering import Kind

N_BINS = 10
_JUDGED = (Kind.PARTICLE, Kind.STRUCTURE, Kind.PHANTOM)


def reliability(
    chance: Float64[ndarray, " n"],
    phantom: Bool[ndarray, " n"],
    movie: ndarray,
    n_bins: int = N_BINS,
) -> pd.DataFrame:
    """Compare chances with what came true.

    Parameters
    ----------
    chance, phantom
        What was said of each spot, and whether it is a phantom.
    movie
        Of which movie each spot is. Spots of one movie are right or wrong together, as
        a phantom lasts for some frames and all are of one kind of noise, so that errors
        come from how far movies differ.
    n_bins
        Into how many parts of equal width the range of chances is cut.

    Returns
    -------
    pandas.DataFrame
        One row per part: said (the mean chance), true (the share of phantoms), std (the
        standard error of their difference), spots, movies.

    References
    ----------
    W. G. Cochran, Sampling Techniques, 3rd ed. (1977), eq. 9.7 (ratios over clusters).
    """
    number = np.clip((chance * n_bins).astype(np.int64), 0, n_bins - 1)
    table = pd.DataFrame({"said": chance, "true": phantom * 1.0, "movie": movie})
    rows = [_part(some) for _, some in table.groupby(number)]
    return pd.DataFrame(rows, columns=["said", "true", "std", "spots", "movies"])


def _part(spots: pd.DataFrame) -> dict[str, float]:
    """Compare all spots that much the same was said of."""
    said, true = spots["said"].mean(), spots["true"].mean()
    away = (spots["true"] - spots["said"]) - (true - said)
    by_movie = away.groupby(spots["movie"]).sum()
    n = len(by_movie)
    # One movie tells nothing of how far movies differ.
    std = np.sqrt((by_movie**2).sum() * n / (n - 1)) / len(spots) if n > 1 else np.nan
    return {"said": said, "true": true, "std": std, "spots": len(spots), "movies": n}


def reliability_rows(name: str, spots: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Give one row per tenth of the range, and one of equal numbers of spots."""
    judged = spots[spots["kind"].isin(_JUDGED)]
    chance = judged["p_phantom"].to_numpy(np.float64)
    phantom = judged["kind"].to_numpy() == Kind.PHANTOM
    movie = judged["movie"].to_numpy(object)
    for _, row in reliability(chance, phantom, movie).iterrows():
        yield {
            "what": f"phantoms, {name}, said {row['said']:.2f}",
            "rate": float(row["true"]),
            "unit": "",
            "std": float(row["std"]),
            "spots": int(row["spots"]),
            "movies": int(row["movies"]),
        }
    order = np.argsort(chance, kind="stable")
    away = [
        abs(float(chance[part].mean() - phantom[part].mean()))
        for part in np.array_split(order, N_BINS)
        if len(part)
    ]
    yield {
        "what": f"worst tenth of all spots, {name}",
        "rate": max(away, default=float("nan")),
        "unit": "off",
    }
