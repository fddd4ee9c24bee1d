"""Counting."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage


class Poisson(Stage):
    """Counting: electrons or photons arrive one by one, independently."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Draw whole numbers whose mean is the input."""
        return rng.poisson(counts).astype(np.float64)
