"""What an inspection has found, cut up for the eye: one particle at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy import ndarray

from napari_lowdose.stack import Stack
from napari_lowdose.trust.brightness import quanta_per_count, spot_brightness
from napari_lowdose.trust.crop_movie import Circle
from napari_lowdose.widgets.closeup import REACH_PX, Cut, cut_out
from napari_lowdose.widgets.trace_plot import Trace
from napari_lowdose.widgets.verdicts import look_of, ring_radius

FUSED = "fused"
DIRECTIONS = ("xy", "xt", "yt")
_NAMES = {FUSED: "fused", "xy": "x-y", "xt": "x-t", "yt": "y-t"}
_COMPARED = 2000  # spots from which the estimate's unit is read
_COURSE = ["track", "frame", "y", "x", "present", "amplitude"]
_COURSE += ["amplitude_std", "detected"]
_PLACED = ("frame", "y", "x", "sigma", "verdict")
_BEFORE, _LONGEST = 10, 300  # frames of a crop movie: before and after, and in all


@dataclass(frozen=True)
class Findings:
    """Particles, their courses in time, and the stacks they were found in.

    Parameters
    ----------
    stack
        The raw counts.
    particles
        One row per particle and frame; its *number* is the row's.
    courses
        Raw amplitudes of each track, frame by frame.
    estimates
        By direction and fused; more may come later.
    """

    stack: Stack
    particles: pd.DataFrame
    courses: pd.DataFrame
    estimates: Mapping[str, ndarray]
    _tracks: Mapping[int, slice] = field(init=False, repr=False)
    _unit: list[float] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        rows = self.particles.reset_index(drop=True)
        courses = self.courses.reindex(columns=_COURSE)
        courses = courses.sort_values(["track", "frame"], ignore_index=True)
        tracks, starts = np.unique(courses["track"].to_numpy(int), return_index=True)
        ends = [*starts[1:].tolist(), len(courses)]
        parts = map(slice, starts.tolist(), ends)
        object.__setattr__(self, "particles", rows)
        object.__setattr__(self, "courses", courses)
        object.__setattr__(
            self, "_tracks", dict(zip(tracks.tolist(), parts, strict=True))
        )

    @property
    def fused(self) -> ndarray | None:
        """The estimate that particles were found in."""
        known = [*self.estimates.values()]
        return self.estimates.get(FUSED, known[-1] if known else None)

    def row(self, number: int) -> pd.Series:
        """Give all that is known of a particle in one frame."""
        return self.particles.iloc[number]

    def tracks_of(self, numbers: Sequence[int]) -> list[int]:
        """Find the numbers of several particles in all frames."""
        tracks = self.particles["track"].to_numpy(int)
        return np.flatnonzero(np.isin(tracks, tracks[numbers])).tolist()

    def cuts(self, number: int) -> dict[str, Cut]:
        """Cut the surroundings out of each stack, the raw ones first."""
        row = self.row(number)
        frame, y, x = int(row["frame"]), round(row["y"]), round(row["x"])
        raw = self.stack.data
        first, last = max(0, frame - 1), min(raw.shape[0] - 1, frame + 1)
        three = [cut_out(raw, t, y, x).counts for t in range(first, last + 1)]
        here = cut_out(raw, frame, y, x)
        around = Cut(np.mean(three, axis=0), here.top, here.left)
        seen = self._named_estimates()
        return {
            "raw": here,
            f"raw, {len(three)} frames": around,
            **{name: cut_out(stack, frame, y, x) for name, stack in seen.items()},
        }

    def _named_estimates(self) -> dict[str, ndarray]:
        ordered = [name for name in _NAMES if name in self.estimates]
        return {_NAMES[name]: self.estimates[name] for name in ordered}

    def trace(self, number: int) -> Trace:
        """Follow a particle over time."""
        row = self.row(number)
        course = self.courses[self._tracks.get(int(row["track"]), slice(0))]
        brightness = np.full(len(course), np.nan)
        if self.fused is not None and len(course):
            spots = course[["frame", "y", "x"]].assign(sigma=float(row["sigma"]))
            brightness = self._quanta_per_count() * spot_brightness(self.fused, spots)
        return Trace(
            course["frame"].to_numpy(np.int64),
            course["amplitude"].to_numpy(np.float64),
            course["amplitude_std"].to_numpy(np.float64),
            brightness,
            course["present"].to_numpy(np.float64),
            course["detected"].to_numpy(bool),
        )

    def _quanta_per_count(self) -> float:
        """Read the estimate's unit off the particles themselves, once."""
        if "amplitude" not in self.particles:
            return float("nan")
        if not self._unit:
            step = -(-len(self.particles) // _COMPARED)
            some = self.particles.iloc[::step]
            assert self.fused is not None
            self._unit.append(
                quanta_per_count(
                    some["amplitude"].to_numpy(float),
                    some["amplitude_std"].to_numpy(float),
                    spot_brightness(self.fused, some),
                )
            )
        return self._unit[0]

    def crops(self, number: int) -> tuple[dict[str, ndarray], list[Circle | None], int]:
        """Cut a particle's surroundings out of the frames it is there, and some more.

        Returns
        -------
        crops, circles, first_frame
            As `save_crop_movie` takes them.
        """
        row = self.row(number)
        frame, y, x = int(row["frame"]), round(row["y"]), round(row["x"])
        frames = self.particles["frame"].to_numpy(int)[self.tracks_of([number])]
        first = max(int(frames.min()) - _BEFORE, frame - _LONGEST // 2, 0)
        last = min(int(frames.max()) + _BEFORE, first + _LONGEST - 1)
        top, left = max(0, y - REACH_PX), max(0, x - REACH_PX)
        part = (
            slice(first, last + 1),
            slice(top, y + REACH_PX + 1),
            slice(left, x + REACH_PX + 1),
        )
        stacks = {"raw": self.stack.data, **self._named_estimates()}
        crops = {name: np.asarray(stack[part]) for name, stack in stacks.items()}
        n_frames = len(crops["raw"])
        return crops, self._circles(number, first, n_frames, top, left), first

    def _circles(
        self, number: int, first: int, n_frames: int, top: int, left: int
    ) -> list[Circle | None]:
        circles: list[Circle | None] = [None] * n_frames
        rows = self.particles.iloc[self.tracks_of([number])]
        columns = (rows[name].tolist() for name in _PLACED)
        for frame, y, x, sigma, verdict in zip(*columns, strict=True):
            if first <= frame < first + n_frames:
                circles[int(frame) - first] = Circle(
                    y - top, x - left, ring_radius(sigma), look_of(verdict).colour
                )
        return circles
