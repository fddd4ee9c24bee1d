"""All evidence for the spots of an estimate, and what they truly are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import pandas as pd
from jaxtyping import Bool, Real
from numpy import ndarray

from napari_lowdose.benchmarks.trust.movies import CountedMovie
from napari_lowdose.config import Plane
from napari_lowdose.particles import (
    N_STD,
    Truth,
    detect_above,
    direction_agreement,
    link,
    responses_at,
    temporal_support,
    test_in_neighbours,
    test_spots,
    within,
)
from napari_lowdose.particles.suspicion import typical_strength
from napari_lowdose.particles.truth import Places

_MARGIN_PX = 4.0
# Of the response in the estimate: so much of it is there without noise as well.
_REAL_SHARE = 0.5


class Kind(StrEnum):
    """What a spot of an estimate truly is."""

    PARTICLE = "particle"
    STRUCTURE = "structure"  # no particle, but the movie without noise has it, too
    PHANTOM = "phantom"
    GHOST = "ghost"  # of a particle that is dark or has just gone
    RIM = "rim"  # too near to the frame's edge to tell


def evidence_in(
    movie: CountedMovie,
    estimate: Real[ndarray, "t y x"],
    planes: Mapping[Plane, Real[ndarray, "t y x"]],
    *,
    n_std: float = N_STD,
) -> pd.DataFrame:
    """Find the spots of an estimate, ask for all evidence, and compare with the truth.

    Parameters
    ----------
    movie
        What was denoised.
    estimate
        In which spots are looked for.
    planes
        Each direction's own estimate.
    n_std
        As in `detect_above`.

    Returns
    -------
    pandas.DataFrame
        One row per spot, with all columns that `suspicion` can use, and kind, movie and
        dose.
    """
    spots = link(detect_above(estimate, n_std))
    spots = temporal_support(spots, n_frames=len(estimate))
    spots = test_in_neighbours(movie.noisy, test_spots(movie.noisy, spots))
    spots = direction_agreement(spots, planes)
    dose = float(movie.truth.mean(dtype=np.float64))
    return spots.assign(
        typical_n_std=typical_strength(spots),
        kind=kinds(spots, movie),
        movie=movie.name,
        dose=dose,
    )


def kinds(spots: pd.DataFrame, movie: CountedMovie) -> list[Kind]:
    """Tell what spots truly are.

    A particle or its ghost is within its radius, or 2 pixels, as in `score_detections`.
    What is at neither is real if the expected counts have half of its response there.
    """
    _, rows, columns = movie.truth.shape
    truth = Truth.of(movie.particles, movie.truth.shape, margin_px=_MARGIN_PX)
    strength = spots["response"].abs().to_numpy(np.float64)
    place = spots[["y", "x"]].to_numpy(np.float64)
    last = np.array([rows, columns]) - 1 - _MARGIN_PX
    conditions = {
        Kind.RIM: ((place < _MARGIN_PX) | (place > last)).any(axis=1),
        Kind.PARTICLE: _at(spots, truth.seen),
        Kind.GHOST: _at(spots, truth.hidden),
        Kind.STRUCTURE: responses_at(movie.truth, spots) > _REAL_SHARE * strength,
    }
    names = [*conditions, Kind.PHANTOM]
    # The first one that holds counts.
    number = np.select([*conditions.values()], range(len(conditions)), len(conditions))
    return [names[each] for each in number.tolist()]


def _at(spots: pd.DataFrame, by_frame: tuple[Places, ...]) -> Bool[ndarray, " n"]:
    """Tell which spots are at one of these places."""
    frame = np.repeat(np.arange(len(by_frame)), [len(one.gate) for one in by_frame])
    gate = np.concatenate([np.empty(0), *(one.gate for one in by_frame)])
    position = np.concatenate([np.empty((0, 2)), *(one.position for one in by_frame)])
    one, other, away = within(
        spots["frame"].to_numpy(np.int64),
        spots[["y", "x"]].to_numpy(np.float64),
        frame,
        position,
        float(gate.max(initial=1.0)),
    )
    at = np.zeros(len(spots), bool)
    at[one[away <= gate[other]]] = True
    return at
