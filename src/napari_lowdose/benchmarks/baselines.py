"""How good each classical filter is, tuned with and without the truth."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import Any

from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.benchmarks.quality.stacks import (
    DevelopmentStack,
    development_set,
)
from napari_lowdose.classical import BASELINES, Baseline, stabilized, tune
from napari_lowdose.classical.coarse_step import CoarseStep
from napari_lowdose.compare.cost import Cost, measured
from napari_lowdose.metrics.reference import psnr
from napari_lowdose.noise import NoiseUnits


def measure_baselines(
    stacks: Iterable[DevelopmentStack] | None = None,
    names: Iterable[str] = tuple(BASELINES),
    seed: int = 0,
    *,
    even: bool = True,
) -> Iterator[dict[str, Any]]:
    """Tune classical filters with the truth and without, and measure them.

    Parameters
    ----------
    stacks
        What they denoise; None: the development set.
    names
        Of `napari_lowdose.classical.BASELINES`.
    seed
        Start of the random numbers of the tuning.
    even
        Whether filters that take the noise to be even are given counts whose noise is
        made so, where that helps.

    Yields
    ------
    dict
        A row per stack and filter: what, rate (PSNR in decibels when tuned by the
        truth), unit, "blind" (PSNR when tuned without), the settings of both,
        "seconds" and "MB" that it takes, and "kvoxel/s". A filter that cannot work on
        a stack has the reason instead.
    """
    names = tuple(names)
    for stack in development_set() if stacks is None else stacks:
        for name in names:
            what = f"{stack.name}, {name}"
            baseline = BASELINES[name]
            reason = baseline.why_not(stack.noisy.shape, stack.noisy.dtype)
            if reason:
                yield {
                    "what": what,
                    "rate": nan,
                    "unit": "dB",
                    "error": reason,
                }
                continue
            if even:
                baseline = stabilized(baseline, _noise(stack))
            yield {"what": what, **_row(stack, baseline, seed)}


def _row(stack: DevelopmentStack, baseline: Baseline, seed: int) -> dict[str, Any]:
    """Tune and measure one filter on one stack."""
    known: dict[str, Any] = {"gain": stack.gain, "offset": stack.offset, "seed": seed}
    best = tune(baseline, stack.noisy, truth=stack.truth, **known).settings
    blind = tune(baseline, stack.noisy, **known).settings
    estimate, cost = _denoised(stack, baseline, best)
    reached = psnr(estimate, stack.truth)
    without = reached
    if dict(blind) != dict(best):
        without = psnr(_denoised(stack, baseline, blind)[0], stack.truth)
    return {
        "rate": reached,
        "unit": "dB",
        "blind": without,
        "kvoxel/s": stack.noisy.size / cost.seconds / 1e3,
        "seconds": cost.seconds,
        "MB": cost.memory_mb,
        "settings": _words(best),
        "blind settings": _words(blind),
    }


def _denoised(
    stack: DevelopmentStack, baseline: Baseline, settings: Mapping[str, float]
) -> tuple[Float[ndarray, "t y x"], Cost]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoarseStep)
        return measured(lambda: baseline.denoise(stack.noisy, settings))


def _noise(stack: DevelopmentStack) -> NoiseUnits:
    return NoiseUnits.of_detector(
        float(stack.noisy.mean()),
        gain=stack.gain,
        offset=stack.offset,
        readout_std=stack.readout_std,
    )


def _words(settings: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.3g}" for name, value in settings.items())
