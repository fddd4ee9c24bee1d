"""Detections against the truth: found, missed, phantoms and ghosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int
from numpy import ndarray
from scipy.optimize import linear_sum_assignment

from napari_lowdose.particles.apertures import evidence_of

# Least expected evidence of a particle that recall asks for.
DETECTABLE = 4.0
_LEAST_GATE_PX = 2.0
# So long a particle that is gone for good may be seen as a ghost.
_LINGERING_FRAMES = 5
_OUT_OF_GATE = 1e6


@dataclass(frozen=True)
class Places:
    """Particles of one frame.

    Parameters
    ----------
    position
        Centres (y, x), in pixels.
    gate
        How far a detection may be from each, in pixels.
    counted
        Whether recall asks for it.
    """

    position: Float64[ndarray, "n 2"]
    gate: Float64[ndarray, " n"]
    counted: Bool[ndarray, " n"]


@dataclass(frozen=True)
class Truth:
    """All particles of a movie, frame by frame, seen and out of sight.

    Parameters
    ----------
    seen, hidden
        Per frame: particles that are visible, and those that are there but dark or
        have just gone.
    shape
        Rows and columns of a frame.
    margin_px
        Width of the rim in which nothing is counted: what is centred outside of the
        frame may be seen there.
    """

    seen: tuple[Places, ...]
    hidden: tuple[Places, ...]
    shape: tuple[int, int]
    margin_px: float

    @property
    def n_counted(self) -> int:
        """How many particles, over all frames, recall asks for."""
        return sum(int(places.counted.sum()) for places in self.seen)

    @classmethod
    def of(
        cls,
        particles: pd.DataFrame,
        shape: tuple[int, int, int],
        *,
        electrons: Float[ndarray, "t y x"] | None = None,
        clean: pd.DataFrame | None = None,
        margin_px: float = 4.0,
    ) -> Truth:
        """Prepare a table of particles.

        Parameters
        ----------
        particles
            One row per particle and frame: frame, id, y, x, radius, visible, as in
            `napari_lowdose.specimens.Scene.particles`.
        shape
            Frames, rows and columns of the movie.
        electrons
            Expected quanta (t, y, x). With them, recall asks for particles only that a
            single frame is expected to show, with an evidence of 4 (`evidence_of`).
        clean
            Detections in the movie without noise. With them, recall asks for particles
            only that are found there: two that merge are one spot to any detector.
        margin_px
            Width of the rim in which nothing is counted, in pixels.
        """
        n_frames, rows, columns = shape
        visible = particles["visible"].to_numpy(bool)
        counted = visible & _off_rim(
            particles[["y", "x"]].to_numpy(float), (rows, columns), margin_px
        )
        if electrons is not None:
            counted = counted & (evidence_of(electrons, particles) >= DETECTABLE)
        table = particles.assign(counted=counted)
        hidden = pd.concat(
            [table[~visible], *_lingering(table, n_frames)], ignore_index=True
        )
        seen = _by_frame(table[visible], n_frames)
        if clean is not None:
            spots = _split(clean, n_frames)
            seen = tuple(map(_found_only, seen, spots))
        return cls(
            seen,
            _by_frame(hidden.assign(counted=False), n_frames),
            (rows, columns),
            margin_px,
        )


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


def assign(
    position: Float[ndarray, "n 2"],
    gate: Float[ndarray, " n"],
    detected: Float[ndarray, "m 2"],
) -> Int[ndarray, "k 2"]:
    """Give each detection at most one particle, and the other way round.

    As many pairs as possible are made within the gates; among such assignments the one
    of the least sum of squared distances is taken.

    Parameters
    ----------
    position, gate
        Centres (y, x) of the particles and how far a detection may be, in pixels.
    detected
        Places (y, x) of the detections, in pixels.

    Returns
    -------
    Int[ndarray, "k 2"]
        Numbers of particle and detection, one row per pair.

    References
    ----------
    R. Jonker and A. Volgenant, Computing 38, 325 (1987); notes, section 26.1.
    """
    away = np.linalg.norm(position[:, None] - detected[None], axis=2)
    within = away <= gate[:, None]
    one, other = linear_sum_assignment(np.where(within, away**2, _OUT_OF_GATE))
    kept = within[one, other]
    return np.stack([one[kept], other[kept]], axis=1)


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
    return _score(_split(detections, len(truth.seen)), truth, threshold)


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
    by_frame = _split(detections, len(truth.seen))
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


def _found_only(places: Places, spots: ndarray) -> Places:
    """Count only those places that have a spot of their own."""
    found = np.zeros(len(places.gate), bool)
    found[assign(places.position, places.gate, spots[:, :2])[:, 0]] = True
    return replace(places, counted=places.counted & found)


def _score(by_frame: list[ndarray], truth: Truth, threshold: float) -> PhantomScore:
    """Score the detections above a threshold, given per frame as (y, x, strength)."""
    found = matched = phantoms = ghosts = total = 0
    for rows, seen, hidden in zip(by_frame, truth.seen, truth.hidden, strict=True):
        detected = rows[rows[:, 2] >= threshold, :2]
        pairs = assign(seen.position, seen.gate, detected)
        found += int(seen.counted[pairs[:, 0]].sum())
        scored = _off_rim(detected, truth.shape, truth.margin_px)
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


def _split(detections: pd.DataFrame, n_frames: int) -> list[ndarray]:
    """Give y, x and strength of the detections, frame by frame."""
    rows = detections[["y", "x", "response"]].to_numpy(float, copy=True)
    rows[:, 2] = np.abs(rows[:, 2])
    return list(_split_rows(detections["frame"].to_numpy(int), rows, n_frames))


def _split_rows(frame: ndarray, rows: ndarray, n_frames: int) -> Iterator[ndarray]:
    order = np.argsort(frame, kind="stable")
    ends = np.searchsorted(frame[order], np.arange(n_frames + 1))
    for start, stop in pairwise(ends):
        yield rows[order[start:stop]]


def _by_frame(table: pd.DataFrame, n_frames: int) -> tuple[Places, ...]:
    columns = ["y", "x", "radius", "counted"]
    frame, rows = table["frame"].to_numpy(int), table[columns].to_numpy(float)
    return tuple(
        Places(one[:, :2], np.maximum(one[:, 2], _LEAST_GATE_PX), one[:, 3] > 0)
        for one in _split_rows(frame, rows, n_frames)
    )


def _lingering(table: pd.DataFrame, n_frames: int) -> Iterator[pd.DataFrame]:
    """Repeat the last row of each particle that goes for some frames more."""
    if table.empty:
        return
    last = table.sort_values("frame").groupby("id").tail(1)
    for later in range(1, _LINGERING_FRAMES + 1):
        after = last.assign(frame=last["frame"] + later)
        yield after[after["frame"] < n_frames]


def _within(detected: ndarray, places: Places) -> Bool[ndarray, " m"]:
    """Tell which detections are in the gate of some particle."""
    away = np.linalg.norm(detected[:, None] - places.position[None], axis=2)
    within: ndarray = np.any(away <= places.gate[None], axis=1)
    return within


def _off_rim(
    position: ndarray, shape: tuple[int, int], margin_px: float
) -> Bool[ndarray, " n"]:
    last = np.array(shape) - 1 - margin_px
    off: ndarray = np.all((position >= margin_px) & (position <= last), axis=1)
    return off
