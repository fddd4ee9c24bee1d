"""Giving filters noise that is alike in bright and dark places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Risks
from napari_lowdose.noise import NoiseUnits, anscombe, inverse_anscombe

# Variance in quanta squared below which the transform makes noise uneven.
_LEAST_QUANTA = 2.0


def stabilized(baseline: Baseline, noise: NoiseUnits) -> Baseline:
    """Let a filter work on counts whose noise is made even, where that helps.

    Counts go through the generalised Anscombe transform, the estimate through its exact
    unbiased inverse. Filters that do not mind uneven noise are left alone, and so are
    all where the noise is even, or so strong (below some two quanta per pixel) that the
    transform would make it uneven: at one its deviation is 0.85, at a tenth 0.34.

    Parameters
    ----------
    baseline
        A value of `napari_lowdose.classical.BASELINES`.
    noise
        Gain, offset and readout noise of the counts, as `read_noise_units` finds them.

    Returns
    -------
    Baseline
        With the same settings, which now are in units of the even noise.
    """
    if not baseline.even_noise or not _worth_it(noise):
        return baseline
    detector: dict[str, Any] = {
        "gain": noise.gain,
        "offset": noise.offset,
        "readout_std": noise.readout_std,
    }

    def denoise(
        stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
    ) -> Float[ndarray, "t y x"]:
        even = anscombe(stack, **detector)
        return inverse_anscombe(baseline.denoise(even, settings), **detector)

    def judge(
        stack: Real[ndarray, "t y x"], _: NoiseUnits, rng: np.random.Generator
    ) -> Risks:
        if baseline.judge is None:
            return {}
        return baseline.judge(anscombe(stack, **detector), _UNIT, rng)

    return replace(baseline, denoise=denoise, judge=baseline.judge and judge)


_UNIT = NoiseUnits(mean=0.0, std=1.0, gain=0.0, offset=0.0, readout_std=1.0)


def _worth_it(noise: NoiseUnits) -> bool:
    """Tell whether noise follows the brightness, and quanta are many enough."""
    if not noise.gain > 0:
        return False
    return (noise.std / noise.gain) ** 2 >= _LEAST_QUANTA
