"""Counting."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage, refuse_negative


def counted(
    expected: Float[ndarray, "t y x"], rng: np.random.Generator
) -> Float[ndarray, "t y x"]:
    """Draw Poisson numbers in the place of their means.

    Raises
    ------
    UnusableStack
        If a mean is negative.
    """
    refuse_negative(expected, "poisson")
    for frame in expected:
        frame[...] = rng.poisson(frame)
    return expected


class Poisson(Stage):
    """Counting: electrons or photons arrive one by one, independently."""

    counting: ClassVar[bool] = True

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Draw whole numbers whose mean is the input."""
        return counted(counts, rng)
