"""Amplifying by chance."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage, refuse_negative


class PulseHeight(Stage):
    """Pulse height: not every quantum gives the same signal; its mean is 1.

    Each pulse is a gamma number of shape m, so that the variance of the counts grows
    by the excess factor F = 1 + 1/m.

    References
    ----------
    M. S. Robbins and B. J. Hadwen, IEEE Trans. Electron Devices 50, 1227 (2003).
    """

    excess_factor: Annotated[float, Ge(1), Le(10)] = 2.0
    """Growth of the variance: 1 for equal pulses, 2 for an EMCCD."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Draw the sum of the pulses of each count."""
        refuse_negative(counts, "pulse_height")
        if self.excess_factor > 1:
            pulse = 1 / (self.excess_factor - 1)
            for frame in counts:
                # A sum of k pulses of shape m has the shape k m; numpy refuses -0.0.
                frame[...] = rng.standard_gamma(np.abs(frame) * pulse) / pulse
        return counts
