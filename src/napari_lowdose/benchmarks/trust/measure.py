"""How well phantoms are told from particles, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.stats import rankdata

from napari_lowdose.benchmarks.trust.calibrating import looked_at
from napari_lowdose.benchmarks.trust.gathering import Kind
from napari_lowdose.benchmarks.trust.movies import UNSEEN_SEED, unseen_movies
from napari_lowdose.benchmarks.trust.null_rates import null_rates
from napari_lowdose.benchmarks.trust.reliability import reliability_rows
from napari_lowdose.config import Compute
from napari_lowdose.particles import (
    Source,
    detect_above,
    link,
    suspicion,
    temporal_support,
    test_in_neighbours,
    test_spots,
)

DOSES = (0.3, 1.0, 3.0)
_SEEDS_APART = 100  # each dose has scenes of its own
N_MOVIES = 20
BACKGROUNDS = (0.02, 0.1, 0.45, 2.0, 10.0)
# A spot's evidence, oriented so that more of it speaks for the spot.
EVIDENCE: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "strength": lambda spots: spots["n_std"],
    "same frame": lambda spots: spots["evidence"],
    "support": lambda spots: spots["support"],
    "neighbours": lambda spots: spots["held_out_evidence"],
    "direction min": lambda spots: spots["direction_min"],
    "direction spread": lambda spots: -spots["direction_spread"],
}


def measure_trust(
    model: str = "accurate",
    *,
    n_movies: int = N_MOVIES,
    frames: int = 64,
    size: int = 128,
    large: tuple[int, int] = (64, 512),
    n_particles: int = 200,
    n_trials: int = 40_000,
    compute: Compute = Compute(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Tell true spots from phantoms in movies that no calibration has seen.

    Parameters
    ----------
    model
        Name of a base model, or a model file.
    n_movies, frames, size
        How many movies per dose, and how large, in frames and pixels.
    large, n_particles
        Frames and size of the movie that is timed, and particles in each frame.
    n_trials
        Spots of pure noise that are tested, for each background.
    compute
        On what the model runs.

    Yields
    ------
    dict
        what, rate, unit. For spots in x-y and in the fused estimate, at 0.3, 1 and 3
        counts per pixel: the area under the curve, of all evidence and of each alone;
        then how well the chances hold, how often noise passes, and seconds.
    """
    for source, spots in judged_spots(
        model, n_movies, frames=frames, size=size, compute=compute
    ).items():
        for dose, some in spots.groupby("nominal", sort=False):
            yield auc_row(f"{source} at {dose:g}", some)
        yield from reliability_rows(source.value, spots)
    yield from null_rows(n_trials)
    yield timing_row(*large, n_particles)


def null_rows(n_trials: int) -> Iterator[dict[str, Any]]:
    """Count how often noise passes, where 5, 1 and 0.1 of 100 should."""
    for background in BACKGROUNDS:
        rng = np.random.default_rng(0)
        rates = null_rates(background, n_trials, rng)
        yield {
            "what": f"false at 5 %, ground {background:g}",
            "rate": 100 * rates[0.05],
            "unit": "%",
            "at 1 %": 100 * rates[0.01],
            "at 0.1 %": 100 * rates[0.001],
        }


def judged_spots(
    model: str,
    n_movies: int,
    *,
    frames: int = 64,
    size: int = 128,
    compute: Compute = Compute(),  # noqa: B008 - frozen
) -> Mapping[Source, pd.DataFrame]:
    """Denoise the movies of all doses, and judge their spots."""
    found: dict[Source, list[pd.DataFrame]] = {source: [] for source in Source}
    for number, dose in enumerate(DOSES):
        first = UNSEEN_SEED + _SEEDS_APART * number
        movies = unseen_movies(
            dose, n_movies, first_seed=first, frames=frames, size=size
        )
        for _, seen in looked_at(movies, model, compute):
            for source, table in seen.items():
                judged = suspicion(table, source=source).assign(nominal=dose)
                found[source].append(judged)
    return {
        source: pd.concat(some, ignore_index=True) for source, some in found.items()
    }


def auc_row(what: str, spots: pd.DataFrame) -> dict[str, Any]:
    """Compare particles and phantoms.

    ``rate`` leaves out spots that are no particle but real, ``strict`` calls them
    phantoms.
    """
    kind = spots["kind"].to_numpy()
    true, phantom = kind == Kind.PARTICLE, kind == Kind.PHANTOM
    trust = -spots["p_phantom"].to_numpy(np.float64)
    alone = {
        name: area_under_curve(of(spots).to_numpy(np.float64), true, phantom)
        for name, of in EVIDENCE.items()
    }
    return {
        "what": f"AUC, {what}",
        "rate": area_under_curve(trust, true, phantom),
        "unit": "",
        "strict": area_under_curve(trust, true, phantom | (kind == Kind.STRUCTURE)),
        "particles": int(true.sum()),
        "phantoms": int(phantom.sum()),
        **alone,
    }


def area_under_curve(
    value: Float[ndarray, " n"], true: Bool[ndarray, " n"], false: Bool[ndarray, " n"]
) -> float:
    """Give the chance that a true one has more than a false one; ties count half."""
    n_true, n_false = int(true.sum()), int(false.sum())
    if not n_true or not n_false:
        return float("nan")
    # What is not known is as little as can be.
    known = np.nan_to_num(value, nan=-np.inf, neginf=-np.inf, posinf=np.inf)
    rank = rankdata(np.concatenate([known[true], known[false]]))
    return float((rank[:n_true].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))


def timing_row(frames: int, size: int, n_particles: int) -> dict[str, Any]:
    """Time detection, linking and tests of a movie of many particles."""
    estimate, electrons = _crowd(frames, size, n_particles)
    seconds = {}
    start = perf_counter()
    spots = detect_above(estimate, 5.0)
    seconds["detection"] = perf_counter() - start
    start = perf_counter()
    spots = temporal_support(link(spots), n_frames=frames)
    seconds["linking"] = perf_counter() - start
    start = perf_counter()
    test_in_neighbours(electrons, test_spots(electrons, spots))
    seconds["tests"] = perf_counter() - start
    return {
        "what": f"{frames} x {size} x {size}, {len(spots)} spots",
        "rate": sum(seconds.values()),
        "unit": "s",
        **seconds,
    }


def _crowd(
    frames: int, size: int, n_particles: int
) -> tuple[Float[ndarray, "t y x"], Float[ndarray, "t y x"]]:
    """Make an estimate of particles that walk on a quiet film, and counts of it."""
    rng = np.random.default_rng(0)
    start = rng.uniform(8, size - 8, (n_particles, 2))
    steps = rng.normal(0, 0.3, (frames, n_particles, 2))
    places = np.clip(start + np.cumsum(steps, axis=0), 4, size - 5)
    around = np.mgrid[-6:7, -6:7].reshape(2, -1)
    pixel = np.rint(places).astype(np.int64)[..., None] + around
    away = pixel - places[..., None]
    spot = 3.0 * np.exp(-(away**2).sum(axis=2) / (2 * 1.6**2))
    y, x = np.clip(pixel, 0, size - 1).transpose(2, 0, 1, 3)
    expected = np.ones((frames, size, size))
    frame = np.broadcast_to(np.arange(frames)[:, None, None], y.shape)
    np.add.at(expected, (frame, y, x), spot)
    estimate = expected + rng.normal(0, 0.02, expected.shape)
    return estimate.astype(np.float32), rng.poisson(expected).astype(np.float32)
