"""Learn from noisy pixels alone: predict hidden ones from their surroundings."""

from __future__ import annotations

import numpy as np

from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.objectives.objective import Batch, Patches
from napari_lowdose.objectives.verdict import NOT_TOLD, Fit, Verdict

_CELL_PX = 8  # one hidden pixel per 8 x 8 cell: 1.6 % of all
_REACH_PX = 2  # replaced by a pixel at most so far away


def fill_noise2void(patches: Patches, rng: np.random.Generator) -> Batch:
    """Hide pixels behind their neighbours and let the network predict them.

    The mask is built from coordinates: one built from changed values would leave out
    pixels whose neighbour has the same count, and bias the mean at low dose.

    References
    ----------
    A. Krull, T.-O. Buchholz and F. Jug, Noise2Void, CVPR 2019.
    """
    signal = patches.normalized(patches.noisy)
    n, height, width = signal.shape
    cells = np.meshgrid(
        np.arange(n),
        np.arange(0, height, _CELL_PX),
        np.arange(0, width, _CELL_PX),
        indexing="ij",
    )
    which, rows, columns = (axis.ravel() for axis in cells)
    rows = np.minimum(rows + rng.integers(0, _CELL_PX, rows.size), height - 1)
    columns = np.minimum(columns + rng.integers(0, _CELL_PX, columns.size), width - 1)
    near_rows, near_columns = _neighbours(rows, columns, (height, width), rng)
    hidden = signal.copy()
    hidden[which, rows, columns] = signal[which, near_rows, near_columns]
    mask = np.zeros(signal.shape, bool)
    mask[which, rows, columns] = True
    return Batch(hidden, signal, mask)


def _neighbours(
    rows: np.ndarray,
    columns: np.ndarray,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw another pixel near each; reflected at the rim, never the pixel itself."""
    edge = 2 * _REACH_PX + 1
    # The centre of the window is left out by skipping its number.
    number = rng.integers(0, edge * edge - 1, rows.size)
    number += number >= edge * edge // 2
    near = []
    for position, step, length in (
        (rows, number // edge - _REACH_PX, shape[0]),
        (columns, number % edge - _REACH_PX, shape[1]),
    ):
        moved = position + step
        outside = (moved < 0) | (moved >= length)
        near.append(np.where(outside, position - step, moved) % length)
    return near[0], near[1]


def judge_noise2void(measurement: NoiseMeasurement) -> Verdict:
    """Suit noise that neighbouring pixels do not share, in frame and in time.

    References
    ----------
    Algorithm notes, sections 12 and 32: a correlation of 0.03 already leaks.
    """
    if measurement.correlated:
        return Verdict(
            Fit.AVOID,
            "neighbouring pixels share noise, which it would learn to predict",
        )
    if not measurement.correlation_told:
        return Verdict(Fit.CAREFUL, NOT_TOLD)
    if measurement.lag_shared:
        return Verdict(
            Fit.CAREFUL,
            "frames share noise with the next one, so only the plane of the frames is "
            "safe",
        )
    if measurement.counting:
        return Verdict(
            Fit.CAREFUL, "it works, but thinning uses whole counts and learns more"
        )
    return Verdict(Fit.SUITS, "the noise of neighbouring pixels is independent")
