"""Counts in units of their own noise, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Real
from numpy import ndarray

from napari_lowdose.classical.noise_std import noise_std


@dataclass(frozen=True)
class UnitNoise:
    """Affine map from a stack's counts to a mean of 0 and noise of deviation 1.

    Parameters
    ----------
    mean, std
        Of the stack, and of the noise of a typical pixel of it; in counts.
    lowest, highest
        Of the stack, in counts.
    """

    mean: float
    std: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, stack: Real[ndarray, "t y x"]) -> UnitNoise:
        """Read it off a stack."""
        mean = float(stack.mean(dtype=np.float64))
        return cls(mean, noise_std(stack), float(stack.min()), float(stack.max()))

    def forward(self, stack: Real[ndarray, "t y x"]) -> Float32[ndarray, "t y x"]:
        """Map counts to units of the noise, the same ones from any dtype."""
        signal = np.empty(stack.shape, np.float32)
        for frame, values in zip(stack, signal, strict=True):
            values[:] = np.subtract(frame, self.mean, dtype=np.float64) / self.std
        return signal

    def inverse(self, signal: Float32[ndarray, "..."]) -> Float32[ndarray, "..."]:
        """Map units of the noise to counts, within the range of the stack's."""
        counts = signal * np.float32(self.std)
        counts += np.float32(self.mean)
        return np.clip(counts, self.lowest, self.highest, out=counts)
