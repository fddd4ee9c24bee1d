"""How steady the beam or the light is."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Share
from napari_lowdose.noise.stage import Stage


class DoseDrift(Stage):
    """Dose drift: the brightness swings and wanders from frame to frame."""

    dose_swing: Share = 0.05
    """Amplitude of a slow swing of the dose, as a share of it."""

    swing_frames: Annotated[float, Ge(1), Le(1e6)] = 64.0
    """Frames from one crest of the swing to the next."""

    dose_walk: Share = 0.01
    """Standard deviation of the random step of the dose per frame, as a share of it."""

    blanked_share: Share = 0.0
    """Share of frames without any beam; the truth shows them with it."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Scale each frame; the truth keeps the steady dose."""
        frames = np.arange(len(counts))
        phase = rng.uniform(0, 2 * np.pi)
        swing = self.dose_swing * np.sin(2 * np.pi * frames / self.swing_frames + phase)
        walk = self.dose_walk * np.cumsum(rng.standard_normal(len(counts)))
        # Symmetric bounds, so that the dose stays the mean.
        factor = 1 + np.clip(swing + walk - walk.mean(), -1, 1)
        factor[rng.random(len(counts)) < self.blanked_share] = 0
        counts *= factor.astype(counts.dtype)[:, None, None]
        return counts
