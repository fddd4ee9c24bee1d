"""The affine map between counts and what a network sees, fitted per stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack


@dataclass(frozen=True)
class Normalizer:
    """Affine map to zero mean and unit deviation, and back.

    One pair of numbers serves the whole stack: numbers per frame would erase real
    changes of brightness and break the slices through time.
    """

    mean: float
    std: float
    slope: ClassVar[float] = 0.0  # these units say nothing about the noise

    @classmethod
    def fit(cls, stack: Real[ndarray, "t y x"]) -> Normalizer:
        """Measure the mean and deviation of all counts of a stack.

        Raises
        ------
        UnusableStack
            If all values are equal: there is nothing to scale by.
        """
        # float64 sums: float32 loses the mean of a large stack
        mean, std = (
            float(stack.mean(dtype=np.float64)),
            float(stack.std(dtype=np.float64)),
        )
        if not std > 0:
            raise UnusableStack(
                f"expected a stack with contrast, but every value is {mean:g}; "
                "check the file, the channel or the crop"
            )
        return cls(mean, std)

    def forward(self, stack: Real[ndarray, "..."]) -> Float[ndarray, "..."]:
        """Map counts to normalized float32 values."""
        signal: ndarray = np.subtract(stack, self.mean, dtype=np.float32)
        signal /= np.float32(self.std)
        return signal

    def inverse(self, signal: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        """Map normalized values to float32 counts."""
        stack: ndarray = np.multiply(signal, self.std, dtype=np.float32)
        stack += np.float32(self.mean)
        return stack
