"""Noisy counts with their detector: what can be split, and how bright it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.noise import looks_counted, thin

_SMOOTHED = (5, 4, 4)  # voxels


@dataclass(frozen=True)
class Recording:
    """Noisy counts, and the detector that they come from.

    Parameters
    ----------
    noisy
        Counts of shape (t, y, x).
    gain, offset, readout_std
        Counts per electron, counts in the dark, and readout noise in counts.
    seed
        Of thinning and of whatever else is drawn.
    """

    noisy: ndarray
    gain: float
    offset: float
    readout_std: float
    seed: int

    def rng(self) -> np.random.Generator:
        """Start anew for each score, so that none depends on which others there are."""
        return np.random.default_rng(self.seed)

    @cached_property
    def divisible(self) -> bool:
        """Whether the electrons can be shared out."""
        if self.readout_std:
            return True
        return looks_counted(self.noisy, gain=self.gain, offset=self.offset)

    def split(
        self, fraction: float, frames: ndarray | slice = slice(None)
    ) -> tuple[ndarray, ndarray]:
        """Share the electrons out; two parts with independent noise."""
        return thin(
            self.noisy[frames],
            fraction,
            gain=self.gain,
            offset=self.offset,
            readout_std=self.readout_std,
            rng=self.rng(),
        )

    def counts(self, electrons: ndarray, fraction: float) -> ndarray:
        """Give a part the brightness of the whole."""
        scaled: ndarray = electrons * np.float32(self.gain / fraction)
        return scaled + np.float32(self.offset)

    def electrons(self, counts: ndarray) -> ndarray:
        """Undo gain and offset."""
        found: ndarray = (counts - np.float32(self.offset)) / np.float32(self.gain)
        return found


def range_of(noisy: Real[ndarray, "t y x"]) -> float:
    """Measure the range of a noisy stack's means over 5 frames and 4 x 4 pixels."""
    means: ndarray = noisy.astype(np.float32)
    for axis, n in enumerate(_SMOOTHED):
        starts = np.arange(0, noisy.shape[axis], n)
        sizes = np.diff(starts, append=noisy.shape[axis])
        shape = [-1 if i == axis else 1 for i in range(3)]
        means = np.add.reduceat(means, starts, axis=axis) / sizes.reshape(shape)
    low, high = np.percentile(means, (0.1, 99.9))
    return float(high - low)
