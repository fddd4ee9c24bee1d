"""Amplifying and reading out."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage


class Readout(Stage):
    """Readout: quanta become counts with a gain, an offset and Gaussian noise."""

    gain: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """Counts that the detector shows per electron or photon."""

    offset: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0
    """Counts that the detector shows in the dark."""

    readout_std: Annotated[float, Ge(0), Le(1e6)] = 1.0
    """Standard deviation of the readout noise, in counts."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Amplify, and add noise and offset."""
        return self.expect(counts) + rng.normal(0.0, self.readout_std, counts.shape)

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Amplify and add the offset."""
        return counts * self.gain + self.offset
