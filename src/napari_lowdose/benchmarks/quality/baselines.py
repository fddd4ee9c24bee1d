"""What classical filters reach on a stack when the truth tunes them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from jaxtyping import Float32
from numpy import ndarray

from napari_lowdose.benchmarks.quality.smoothing import best_smoothing, smoothed
from napari_lowdose.benchmarks.quality.stacks import DevelopmentStack
from napari_lowdose.classical import BASELINES, tune
from napari_lowdose.classical.coarse_step import CoarseStep
from napari_lowdose.metrics import data_range
from napari_lowdose.metrics.reference import psnr

GAUSSIAN_2D, GAUSSIAN_3D = "gaussian 2-D", "gaussian 3-D"
# The Gaussians' exact optimum costs less; `measure_baselines` has the slow methods.
_TUNED = ("bilateral", "nonlocal_means", "wiener")
ALL = (GAUSSIAN_2D, GAUSSIAN_3D, *_TUNED)
# The base models see what it makes of a stack: it is told beside the others.
OWN = "wiener"


@dataclass(frozen=True)
class Reached:
    """What a baseline reached.

    Parameters
    ----------
    psnr
        Against the truth, in decibels.
    settings
        What the truth chose.
    """

    psnr: float
    settings: Mapping[str, float]


def baselines(
    stack: DevelopmentStack, names: Iterable[str] = ALL
) -> dict[str, Reached]:
    """Tune classical filters by the truth, and measure them on the whole stack.

    Parameters
    ----------
    stack
        What they denoise.
    names
        Of the Gaussians in two and three dimensions, whose widths are the best on the
        whole stack, and of `napari_lowdose.classical.BASELINES`, tuned as anywhere in
        the package but with the truth.
    """
    return {name: reached for name, reached, _ in denoised_by(stack, names)}


def best_baseline(reached: Mapping[str, Reached]) -> tuple[str, float]:
    """Name the best of some baselines but our own, and its PSNR in decibels."""
    others = [name for name in reached if name != OWN] or [*reached]
    name = max(others, key=lambda one: reached[one].psnr)
    return name, reached[name].psnr


def denoised_by(
    stack: DevelopmentStack, names: Iterable[str] = ALL
) -> Iterator[tuple[str, Reached, Float32[ndarray, "t y x"]]]:
    """Give each baseline's name, what it reached, and its estimate."""
    for name in names:
        if name in (GAUSSIAN_2D, GAUSSIAN_3D):
            found = best_smoothing(
                stack.noisy, stack.truth, temporal=name == GAUSSIAN_3D
            )
            settings = {"sigma_px": found.sigma_px, "sigma_frames": found.sigma_frames}
            level = 10 * math.log10(data_range(stack.truth) ** 2 / found.mse)
            yield name, Reached(level, settings), smoothed(stack.noisy, found)
        else:
            yield _tuned(stack, name)


def _tuned(
    stack: DevelopmentStack, name: str
) -> tuple[str, Reached, Float32[ndarray, "t y x"]]:
    baseline = BASELINES[name]
    settings = tune(
        baseline,
        stack.noisy,
        truth=stack.truth,
        gain=stack.gain,
        offset=stack.offset,
    ).settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoarseStep)
        estimate = baseline.denoise(stack.noisy, settings)
    return name, Reached(psnr(estimate, stack.truth), settings), estimate
