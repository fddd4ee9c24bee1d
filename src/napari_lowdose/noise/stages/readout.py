"""Amplifying and reading out."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Share
from napari_lowdose.noise.stage import Stage


class Readout(Stage):
    """Readout: quanta become counts with a gain, an offset and Gaussian noise."""

    gain: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """Counts that the detector shows per electron or photon."""

    offset: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0
    """Counts that the detector shows in the dark."""

    readout_std: Annotated[float, Ge(0), Le(1e6)] = 1.0
    """Standard deviation of the readout noise, in counts; with a spread its median."""

    gain_spread: Share = 0.0
    """Standard deviation of the gain from pixel to pixel, as a share of it."""

    offset_spread: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """Standard deviation of the offset from pixel to pixel, in counts."""

    readout_spread: Annotated[float, Ge(0), Le(3)] = 0.0
    """Standard deviation of the logarithm of the readout noise from pixel to pixel."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Amplify, and add noise and offset, by maps that all frames share."""
        shape = counts.shape[1:]
        normal = rng.spawn(1)[0].standard_normal((3, *shape), dtype=np.float32)
        # Symmetric bounds, so that the gain stays the mean.
        gain = self.gain * (1 + np.clip(self.gain_spread * normal[0], -1, 1))
        offset = self.offset + self.offset_spread * normal[1]
        std = self.readout_std * np.exp(self.readout_spread * normal[2])
        for frame in counts:
            frame *= gain
            frame += offset
            frame += std * rng.standard_normal(shape, dtype=np.float32)
        return counts

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Amplify and add the offset."""
        counts *= self.gain
        counts += self.offset
        return counts
