"""Detections against the truth: found, missed, phantoms and ghosts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from napari_lowdose.particles.assignment import assign
from napari_lowdose.particles.truth import Places, Truth, off_rim, split_by_frame


@dataclass(frozen=True)
class PhantomScore:
    """What became of detections and particles, summed over the frames of a movie.

    Parameters
    ----------
    threshold
        Least response of the detections.
    n_frames
        Of the movie.
    n_counted, n_found
        Particles that recall asks for, and how many of them were found.
    n_detections
        All off the rim, of which `n_phantoms` are at no particle and `n_ghosts` at one
        that is dark or has just gone; `n_matched` have a particle of their own, and
        what is left is a second detection at a particle.
    """

    threshold: float
    n_frames: int
    n_counted: int
    n_found: int
    n_detections: int
    n_matched: int
    n_phantoms: int
    n_ghosts: int

    @property
    def recall(self) -> float:
        """Share of the particles that were found; NaN where there are none."""
        return self.n_found / self.n_counted if self.n_counted else float("nan")

    @property
    def precision(self) -> float:
        """Share of the detections that are no phantoms."""
        return 1 - self.n_phantoms / self.n_detections if self.n_detections else 1.0

    @property
    def phantoms_per_frame(self) -> float:
        """Mean number of phantoms."""
        return self.n_phantoms / self.n_frames

    @property
    def ghosts_per_frame(self) -> float:
        """Mean number of ghosts."""
        return self.n_ghosts / self.n_frames


def score_detections(
    detections: pd.DataFrame, truth: Truth, *, threshold: float = 0.0
) -> PhantomScore:
    """Compare detections with the truth.

    A **phantom** is a detection without a particle of its own that is farther than the
    gate, the particle's radius or 2 pixels, from every particle of its frame. One that
    is within the gate of a dark particle, or of one that has gone in the last 5 frames,
    is a **ghost**.

    Parameters
    ----------
    detections
        frame, y, x, response, as `detect` gives them; a dark spot counts by the
        strength of its response.
    truth
        Of the same movie.
    threshold
        Least strength of a response, in counts.

    References
    ----------
    Notes on algorithms, sections 26.1 and 26.2.
    """
    return _score(split_by_frame(detections, len(truth.seen)), truth, threshold)


def at_recall(
    detections: pd.DataFrame, truth: Truth, recall: float = 0.9
) -> PhantomScore | None:
    """Find the highest threshold at which enough of the particles are found.

    Denoisers are compared at equal recall: another threshold trades phantoms for
    misses.

    Parameters
    ----------
    detections
        Of any strength, as `detect` gives them with no threshold.
    truth
        Of the same movie.
    recall
        Share of the particles to find.

    Returns
    -------
    PhantomScore | None
        None where even all detections do not reach the recall, or there is nothing to
        find; `score_detections` then tells the highest recall.
    """
    by_frame = split_by_frame(detections, len(truth.seen))
    strengths = np.unique(np.abs(detections["response"].to_numpy(float)))
    found, low, high = None, 0, len(strengths) - 1
    # More detections never leave fewer particles found: the search may halve.
    while low <= high:
        middle = (low + high) // 2
        seen = _score(by_frame, truth, float(strengths[middle]))
        if seen.recall >= recall:
            found, low = seen, middle + 1
        else:
            high = middle - 1
    return found


def _score(by_frame: list[ndarray], truth: Truth, threshold: float) -> PhantomScore:
    """Score the detections above a threshold, given per frame as (y, x, strength)."""
    found = matched = phantoms = ghosts = total = 0
    for rows, seen, hidden in zip(by_frame, truth.seen, truth.hidden, strict=True):
        detected = rows[rows[:, 2] >= threshold, :2]
        pairs = assign(seen.position, seen.gate, detected)
        found += int(seen.counted[pairs[:, 0]].sum())
        scored = off_rim(detected, truth.shape, truth.margin_px)
        alone = scored.copy()
        alone[pairs[:, 1]] = False
        haunts = alone & _within(detected, hidden)
        phantoms += int((alone & ~haunts & ~_within(detected, seen)).sum())
        ghosts += int(haunts.sum())
        matched += int(scored[pairs[:, 1]].sum())
        total += int(scored.sum())
    return PhantomScore(
        threshold,
        len(truth.seen),
        truth.n_counted,
        found,
        total,
        matched,
        phantoms,
        ghosts,
    )


def _within(detected: ndarray, places: Places) -> Bool[ndarray, " m"]:
    """Tell which detections are in the gate of some particle."""
    away = np.linalg.norm(detected[:, None] - places.position[None], axis=2)
    within: ndarray = np.any(away <= places.gate[None], axis=1)
    return within
