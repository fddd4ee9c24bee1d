"""From counts to the numbers of a file."""

from __future__ import annotations

import warnings
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float, UInt
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.stage import Stage


class Quantize(Stage):
    """Bits: counts become whole numbers between zero and what the bits hold."""

    damages: ClassVar[bool] = True

    bits: Annotated[int, Ge(1), Le(24)] = 16
    """Bits per pixel; 8 hold counts up to 255, 16 up to 65535."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> UInt[ndarray, "t y x"]:
        """Round and clip.

        Warns
        -----
        UserWarning
            With the number of values that were clipped.
        """
        top = 2**self.bits - 1
        recorded = np.empty(counts.shape, np.min_scalar_type(top))
        n_clipped = 0
        for frame, whole in zip(counts, recorded, strict=True):
            levels = np.rint(frame)
            n_clipped += int(np.sum((levels < 0) | (levels > top)))
            whole[...] = levels.clip(0, top)
        if n_clipped:
            warnings.warn(
                f"{n_clipped} of {counts.size} values were clipped to {self.bits} bits "
                f"(0 to {top})",
                stacklevel=2,
            )
        return recorded

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Keep the fractions and the highlights that the bits lose.

        Raises
        ------
        UnusableStack
            If the mean is beyond what the bits hold.
        """
        top, mean = 2**self.bits - 1, float(counts.mean(dtype=np.float64))
        if mean > top:
            raise UnusableStack(
                f"expected a mean of at most {top} counts for {self.bits} bits, got "
                f"{mean:.6g}; lower the dose or the gain, or take more bits"
            )
        return counts
