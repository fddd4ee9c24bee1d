"""Noise of the textbook."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Share
from napari_lowdose.noise.stage import Stage


class Gaussian(Stage):
    """Gaussian noise: the same in all pixels, whatever their signal."""

    gaussian_std: Annotated[float, Ge(0), Le(1e9)] = 1.0
    """Standard deviation, in counts or as a share of their mean."""

    gaussian_relative: bool = False
    """The deviation is a share of the mean counts."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Add normal numbers."""
        unit = abs(float(counts.mean(dtype=float))) if self.gaussian_relative else 1.0
        std = np.float32(self.gaussian_std * unit)
        for frame in counts:
            frame += std * rng.standard_normal(frame.shape, dtype=np.float32)
        return counts


class SaltPepper(Stage):
    """Salt and pepper: some values are the highest or the lowest of the stack."""

    damages: ClassVar[bool] = True

    salt_share: Share = 1e-3
    """Share of the values that become the highest."""

    pepper_share: Share = 1e-3
    """Share of the values that become the lowest."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Lose values by chance, each by itself."""
        low, high = counts.min(), counts.max()
        for frame in counts:
            chance = rng.random(frame.shape)
            frame[chance < self.pepper_share] = low
            frame[chance >= 1 - self.salt_share] = high
        return counts
