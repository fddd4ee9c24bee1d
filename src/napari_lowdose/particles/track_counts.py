"""The counts along tracks, and what they say for a spot in each frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Real
from numpy import ndarray

from napari_lowdose.particles.fitting import on_ground, on_known
from napari_lowdose.particles.ground import Ground, basis_of, fit_grounds
from napari_lowdose.particles.surroundings import (
    apart,
    columns_of,
    window_radius_px,
    windows,
)
from napari_lowdose.particles.windows import of_one_size

_CERTAIN = 500.0  # nats
_DARKEST = 1e-3  # share of the background that is left in the darkest spot
_STEPS = 8


class TrackCounts:
    """The windows of all frames of some tracks, gathered once and kept.

    Parameters
    ----------
    electrons
        Recorded quanta (t, y, x).
    courses
        One row per track and frame, as `frames_of_tracks` gives them.
    crowd
        Of all spots, as `nearest_spot` gives it.
    readout_variance, ground
        As in `test_spots`.

    Attributes
    ----------
    amplitude, amplitude_std
        Fitted to each frame alone, of either sign, in quanta.
    """

    def __init__(
        self,
        electrons: Real[ndarray, "t y x"],
        courses: pd.DataFrame,
        crowd: Float32[ndarray, "t y x"],
        readout_variance: float,
        ground: Ground | Real[ndarray, "t y x"],
    ) -> None:
        columns = columns_of(courses)
        self.amplitude, self.amplitude_std = np.zeros((2, len(courses)))
        self._known = not isinstance(ground, Ground)
        self._pieces: list[tuple[ndarray, ...]] = []
        for rows, offsets in of_one_size(window_radius_px(columns[3])):
            some = columns[:, rows]
            free = apart(crowd, some, offsets)
            counts, shape, valid = windows(electrons, some, offsets, free)
            counts += readout_variance
            either = np.zeros(len(rows), np.int64)
            if isinstance(ground, Ground):
                grounds = fit_grounds(counts, shape, valid, basis_of(offsets, ground))
                fitted, _ = on_ground([grounds], either)
                behind = grounds.expected
            else:
                behind = windows(ground, some, offsets, free)[0] + readout_variance
                fitted = on_known(counts, shape, valid, behind, either)
            self.amplitude[rows] = fitted.amplitude
            self.amplitude_std[rows] = fitted.amplitude_std
            valid = valid & (behind > 0)
            kept = (np.where(valid, part, 0.0) for part in (counts, shape, behind))
            self._pieces.append((rows, *(part.astype(np.float32) for part in kept)))

    def log_odds(self, amplitude: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Compare each frame's counts with a spot of the amplitude and without it."""
        odds = np.zeros(len(self.amplitude))
        for rows, counts, shape, behind in self._pieces:
            spot = amplitude[rows, None] * shape
            scale = np.ones(len(rows))
            if not self._known:
                scale = _ground_scale(counts, spot, behind)
            odds[rows] = _gain(counts, spot, behind, scale)
        return np.clip(odds, -_CERTAIN, _CERTAIN)


def _gain(
    counts: ndarray, spot: ndarray, behind: ndarray, scale: Float64[ndarray, " n"]
) -> Float64[ndarray, " n"]:
    """Give the log-likelihood of a spot on a scaled ground over that of the ground."""
    safe = np.where(behind > 0, behind, 1.0)
    # A dark spot cannot be darker than dark.
    ratio = np.maximum(scale[:, None] + spot / safe, _DARKEST)
    gained: ndarray = np.einsum("np,np->n", counts, np.log(ratio))
    gained -= np.sum((ratio - 1) * behind, axis=1)
    return gained


def _ground_scale(
    counts: ndarray, spot: ndarray, behind: ndarray
) -> Float64[ndarray, " n"]:
    """Find by how much the ground is dimmer, most likely, if the spot is there."""
    relative = spot / np.where(behind > 0, behind, 1.0)
    whole = np.maximum(behind.sum(axis=1), 1e-12)
    least = np.maximum(-relative.min(axis=1), 0.0)
    most = least + np.maximum(counts.sum(axis=1), 0) / whole
    scale = np.clip(1 - spot.sum(axis=1) / whole, least + 0.05 * (most - least), most)
    for _ in range(_STEPS):
        ratio = 1 / np.maximum(scale[:, None] + relative, 1e-12)
        weighed = counts * ratio
        slope = weighed.sum(axis=1) - whole
        curve = np.einsum("np,np->n", weighed, ratio)
        step = slope / np.where(curve > 0, curve, np.inf)
        # It falls from a pole at the least scale, where Newton's steps go too far.
        scale = np.clip(scale + step, least + 0.1 * (scale - least), most)
    found: ndarray = scale
    return found
