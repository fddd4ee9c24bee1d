"""The true particles of a movie, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64
from numpy import ndarray

from napari_lowdose.particles.apertures import evidence_of
from napari_lowdose.particles.assignment import assign

# Least expected evidence of a particle that recall asks for.
DETECTABLE = 4.0
_LEAST_GATE_PX = 2.0
# So long a particle that is gone for good may be seen as a ghost.
_LINGERING_FRAMES = 5


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
        counted = visible & off_rim(
            particles[["y", "x"]].to_numpy(float), (rows, columns), margin_px
        )
        if electrons is not None:
            counted = counted & (evidence_of(electrons, particles) >= DETECTABLE)
        table = particles.assign(counted=counted)
        hidden = pd.concat(
            [table[~visible], *_lingering(table, n_frames)], ignore_index=True
        )
        seen = _places(table[visible], n_frames)
        if clean is not None:
            spots = split_by_frame(clean, n_frames)
            seen = tuple(map(_found_only, seen, spots))
        return cls(
            seen,
            _places(hidden.assign(counted=False), n_frames),
            (rows, columns),
            margin_px,
        )


def split_by_frame(detections: pd.DataFrame, n_frames: int) -> list[ndarray]:
    """Give y, x and strength of the detections, frame by frame."""
    rows = detections[["y", "x", "response"]].to_numpy(float, copy=True)
    rows[:, 2] = np.abs(rows[:, 2])
    return list(_split_rows(detections["frame"].to_numpy(int), rows, n_frames))


def _split_rows(frame: ndarray, rows: ndarray, n_frames: int) -> Iterator[ndarray]:
    order = np.argsort(frame, kind="stable")
    ends = np.searchsorted(frame[order], np.arange(n_frames + 1))
    for start, stop in pairwise(ends):
        yield rows[order[start:stop]]


def _found_only(places: Places, spots: ndarray) -> Places:
    """Count only those places that have a spot of their own."""
    found = np.zeros(len(places.gate), bool)
    found[assign(places.position, places.gate, spots[:, :2])[:, 0]] = True
    return replace(places, counted=places.counted & found)


def _places(table: pd.DataFrame, n_frames: int) -> tuple[Places, ...]:
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


def off_rim(
    position: ndarray, shape: tuple[int, int], margin_px: float
) -> Bool[ndarray, " n"]:
    """Tell which places are farther from the edge than the rim is wide."""
    last = np.array(shape) - 1 - margin_px
    off: ndarray = np.all((position >= margin_px) & (position <= last), axis=1)
    return off
