"""Particles that the raw counts have and the estimate does not show."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64, Real
from numpy import ndarray

from napari_lowdose.particles.evidence import familywise_threshold
from napari_lowdose.particles.held_out import test_in_neighbours
from napari_lowdose.particles.nearness import within
from napari_lowdose.particles.spot_test import test_spots

_SEPARATION_PX = 4
_LEVEL = 0.05
_TRIALS_SIGMA_PX = 1.5  # of the spots that the threshold was measured with


def missed(
    spots: pd.DataFrame,
    electrons: Real[ndarray, "t y x"],
    evidence: Float[ndarray, "t y x"],
    sigma_px: float,
    *,
    readout_variance: float = 0.0,
    excess: float = 1.0,
) -> pd.DataFrame:
    """Add what the raw counts of single frames prove, and the estimate does not show.

    Maxima of the evidence above what noise reaches anywhere in one of 20 movies, which
    do not overlap with any spot, are tested like spots; those that pass are added.

    Parameters
    ----------
    spots
        Those of the estimate, linked and tested (`link`, `test_spots`).
    electrons
        Recorded quanta (t, y, x).
    evidence
        Its root, in deviations of the noise, as `evidence_map` gives it.
    sigma_px
        The size that the map is of, in pixels.
    readout_variance, excess
        As in `test_spots`.

    Returns
    -------
    pandas.DataFrame
        The spots and the missed ones, sorted by frame, y, x. A missed one has no
        response and a track of its own.

    References
    ----------
    Notes on algorithms, sections 28.3 and 28.7.
    """
    n_trials = electrons.size * (_TRIALS_SIGMA_PX / sigma_px) ** 2
    proof = np.sqrt(familywise_threshold(round(n_trials), _LEVEL))
    found = _maxima(evidence, float(proof), sigma_px)
    found = found[~_overlapping(found, spots)]
    if found.empty:
        return spots
    first = int(spots["track"].max()) + 1 if len(spots) else 0
    found = found.assign(track=np.arange(first, first + len(found)), parent=-1, into=-1)
    # Together, because neighbours are left out of each other's background.
    keys = [*found.columns]
    every = pd.concat([spots[keys], found], ignore_index=True)
    detector: dict[str, Any] = {"readout_variance": readout_variance, "excess": excess}
    tested = test_in_neighbours(
        electrons, test_spots(electrons, every, **detector), **detector
    )
    tested = tested.iloc[len(spots) :].assign(response=np.nan)
    added = tested[tested["p_familywise"] <= _LEVEL]
    if added.empty:
        return spots
    whole = pd.concat([spots, added.reindex(columns=spots.columns)], ignore_index=True)
    whole = whole.astype(dict.fromkeys(("frame", "track", "parent", "into"), np.int64))
    return whole.sort_values(["frame", "y", "x"], ignore_index=True)


def _maxima(
    evidence: Float[ndarray, "t y x"], least: float, sigma_px: float
) -> pd.DataFrame:
    """Find places, with a response that tells bright from dark."""
    window = np.ones((2 * _SEPARATION_PX + 1,) * 2, np.uint8)
    height = np.abs(evidence).astype(np.float32)
    highest = np.stack([cv2.dilate(frame, window) for frame in height])
    frame, y, x = np.nonzero((height == highest) & (height >= least))
    return pd.DataFrame(
        {
            "frame": frame.astype(np.int64),
            "y": y.astype(np.float64),
            "x": x.astype(np.float64),
            "sigma": np.full(len(frame), sigma_px, np.float64),
            "response": np.sign(evidence[frame, y, x]).astype(np.float64),
        }
    )


def _places(
    spots: pd.DataFrame,
) -> tuple[Int64[ndarray, " n"], Float64[ndarray, "n 2"]]:
    frame = spots["frame"].to_numpy(np.int64)
    return frame, spots[["y", "x"]].to_numpy(np.float64)


def _overlapping(found: pd.DataFrame, spots: pd.DataFrame) -> Bool[ndarray, " n"]:
    """Tell which ones are nearer to a spot than the sum of their radii."""
    own, other = (
        np.sqrt(2) * some["sigma"].to_numpy(np.float64) for some in (found, spots)
    )
    farthest = float(own.max(initial=0.0) + other.max(initial=0.0))
    one, near, away = within(*_places(found), *_places(spots), farthest)
    overlapping = np.zeros(len(found), bool)
    overlapping[one[away <= own[one] + other[near]]] = True
    return overlapping
