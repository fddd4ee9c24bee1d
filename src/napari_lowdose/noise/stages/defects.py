"""Pixels that tell of themselves, and of what else flies about."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Share
from napari_lowdose.noise.stage import LARGEST, Stage

Multiple = Annotated[float, Ge(0), Le(1e4)]


class Defects(Stage):
    """Defects: some pixels glow and some are dead, the same ones in all frames."""

    damages: ClassVar[bool] = True

    hot_share: Share = 1e-3
    """Share of pixels that glow by themselves."""

    hot_factor: Multiple = 5.0
    """Mean height of the glow, as a multiple of the mean counts."""

    dead_share: Share = 5e-4
    """Share of pixels that count nothing."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Add the glow, which is counted like a signal; silence the dead."""
        fixed = rng.spawn(1)[0]
        hot_y, hot_x = np.nonzero(fixed.random(counts.shape[1:]) < self.hot_share)
        dead_y, dead_x = np.nonzero(fixed.random(counts.shape[1:]) < self.dead_share)
        glow = fixed.exponential(self.hot_factor * _mean(counts), len(hot_y))
        glow = np.minimum(glow, LARGEST)
        counts[:, hot_y, hot_x] += rng.poisson(glow, (len(counts), len(glow)))
        counts[:, dead_y, dead_x] = 0
        return counts


class Spikes(Stage):
    """Spikes: X-rays and cosmic rays hit single pixels, now here and now there."""

    damages: ClassVar[bool] = True

    spike_share: Share = 1e-4
    """Share of all values that are hit."""

    spike_factor: Multiple = 20.0
    """Mean height of a hit, as a multiple of the mean counts."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Add whole numbers of exponentially distributed height."""
        hits = rng.integers(
            counts.size, size=rng.binomial(counts.size, self.spike_share)
        )
        height = rng.exponential(self.spike_factor * _mean(counts), len(hits))
        np.add.at(counts, np.unravel_index(hits, counts.shape), np.rint(height))
        return counts


def _mean(counts: Float[ndarray, "t y x"]) -> float:
    # In this order, since numpy refuses -0.0 as a scale.
    return max(0.0, float(counts.mean(dtype=np.float64)))
