"""The noise of "Low-dose imaging denoising with one pair of noisy images"."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages.poisson import counted


class Equation(StrEnum):
    """How the paper's equation is read."""

    PHYSICAL = "physical"  # counts and Gaussian noise
    AS_PRINTED = "as_printed"  # and the signal once more, without noise


class OnePair(Stage):
    """Counting as the one-pair paper has it: Poisson and Gaussian noise at once.

    References
    ----------
    D. Yang et al. (2023), low-dose imaging denoising with one pair of noisy images,
    equation 1. As printed, the signal S enters twice: ``S + P{p S / <S>} + N``.
    """

    counting: ClassVar[bool] = True

    equation: Equation = Equation.PHYSICAL
    """How the equation is read; as printed it has the signal twice."""

    pair_variance: Annotated[float, Ge(0), Le(1e12)] = 5.0
    """Variance of the Gaussian noise, in counts squared."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Count, add Gaussian noise, and the signal where it is printed."""
        signal = counts.copy() if self.equation is Equation.AS_PRINTED else 0
        recorded = counted(counts, rng)
        recorded += signal
        std = np.float32(np.sqrt(self.pair_variance))
        for frame in recorded:
            frame += std * rng.standard_normal(frame.shape, dtype=np.float32)
        return recorded

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Count the signal once or twice."""
        if self.equation is Equation.AS_PRINTED:
            counts *= 2
        return counts
