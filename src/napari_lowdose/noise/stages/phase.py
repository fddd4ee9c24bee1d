"""The noise of a reconstructed phase."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages.blur import filtered


class PhaseNoise(Stage):
    """Hologram: the phase, in radians, is less noisy the more electrons made it.

    Its deviation is ``sqrt(2 / N) / visibility`` for N electrons in a resolution cell.
    It takes the place of counting; the recipe's dose should be 0, so that the stack's
    own values are the phase.

    References
    ----------
    W. J. de Ruijter and J. K. Weiss, Ultramicroscopy 50, 269 (1993).
    """

    counting: ClassVar[bool] = True

    hologram_electrons: Annotated[float, Ge(0.01), Le(1e12)] = 500.0
    """Mean electrons in a resolution cell of the hologram."""

    visibility: Annotated[float, Ge(1e-3), Le(1)] = 0.3
    """Contrast of the hologram's fringes, up to 1."""

    cell_px: Annotated[float, Ge(0.1), Le(1000)] = 3.0
    """Width of a resolution cell, over which the noise is alike, in pixels."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Add Gaussian noise that is correlated over a resolution cell."""
        shape = counts.shape[1:]
        std = np.sqrt(2 / self.hologram_electrons) / self.visibility
        modulation = self._modulation(shape)
        modulation *= std / np.sqrt(np.mean(modulation**2))
        for frame in counts:
            white = rng.standard_normal(shape, dtype=np.float32)
            frame += filtered(white, modulation)
        return counts

    def _modulation(self, shape: tuple[int, int]) -> Float[ndarray, "y x"]:
        """Spread over a Gaussian whose full width at half maximum is the cell."""
        y, x = (np.arange(n) / (2 * n) for n in shape)
        spread = self.cell_px / np.sqrt(8 * np.log(2))
        squared = y[:, None] ** 2 + x**2
        modulation: ndarray = np.exp(-2 * np.pi**2 * spread**2 * squared)
        return modulation.astype(np.float32)
