"""What an estimate does to the truth: how it errs, where, and at which brightness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.metrics.blocks import (
    block_bootstrap,
    decibels,
    mean_of,
    movie_sums,
    ratio,
)
from napari_lowdose.metrics.metric import Score, Scored
from napari_lowdose.metrics.reference import data_range, ssim_maps

# An estimate without any quanta would make a single one infinitely unlikely.
_DARKEST = 1e-3


def squared_error(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    rng: np.random.Generator,
    span: float | None = None,
) -> dict[str, Scored]:
    """Measure MSE and PSNR as in `METRICS`, with their standard errors.

    The range is that of the truth, unless these are parts of a movie of another.
    """
    differences = (
        np.subtract(f, x, dtype=np.float64) ** 2
        for f, x in zip(estimate, truth, strict=True)
    )
    sums = movie_sums((square, np.ones_like(square)) for square in differences)
    span = data_range(truth) if span is None else span
    return {
        "mse": block_bootstrap(sums, ratio, rng),
        "psnr": block_bootstrap(sums, decibels(span), rng),
    }


def structural_similarity(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    rng: np.random.Generator,
    span: float | None = None,
) -> Scored:
    """Measure `ssim` with its standard error; the range is as in `squared_error`."""
    return mean_of(ssim_maps(estimate, truth, span), rng)


def poisson_deviance(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    *,
    rng: np.random.Generator,
    gain: float = 1.0,
    offset: float = 0.0,
) -> Scored:
    """Measure how unlikely the estimate makes the truth's electrons.

    ``2 mean(x ln(x / f) - x + f)`` weighs an error by what it means to Poisson counts,
    so that dark regions count as much as bright ones.

    Parameters
    ----------
    estimate, truth
        Counts of shape (t, y, x).
    rng
        Draws tiles for the standard error.
    gain, offset
        Counts per electron, and counts in the dark.

    Returns
    -------
    Scored
        In electrons; 0 for the truth. An estimate below 0.001 electrons is taken as
        that.

    References
    ----------
    P. McCullagh and J. A. Nelder, Generalized Linear Models (1989), section 2.3.
    """

    def deviances() -> Iterator[Float64[ndarray, "y x"]]:
        for seen, expected in zip(estimate, truth, strict=True):
            f = np.maximum((seen.astype(np.float64) - offset) / gain, _DARKEST)
            x = np.maximum((expected.astype(np.float64) - offset) / gain, 0)
            yield 2 * (x * np.log(np.maximum(x, 1e-300) / f) - x + f)

    return mean_of(deviances(), rng)


def bias_map(
    estimate: Real[ndarray, "t y x"], truth: Real[ndarray, "t y x"]
) -> Float64[ndarray, "y x"]:
    """Average over frames what the estimate has too much, in counts.

    Noise that is left in the estimate fades with the number of frames; what stays are
    things that are always too faint, too bright or in the wrong place.
    """
    total = np.zeros(truth.shape[1:])
    for f, x in zip(estimate, truth, strict=True):
        total += np.subtract(f, x, dtype=np.float64)
    return total / len(truth)


def slope_and_intercept(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    rng: np.random.Generator,
) -> tuple[Scored, Scored]:
    """Fit a line to the estimate `f` over the truth `x`, all voxels alike.

    The slope is below 1 where contrast is lost. A perfect posterior mean has a slope
    below 1, too, since it errs towards the mean where counts say little.

    Returns
    -------
    slope, intercept
        The intercept in counts; 1 and 0 for the truth.

    Raises
    ------
    ValueError
        If the truth has no contrast.
    """
    data_range(truth)
    # About the middle of the truth, so that squares of an offset do not swamp the rest.
    middle = float(truth.mean(dtype=np.float64))

    def products() -> Iterator[tuple[ndarray, ...]]:
        for seen, expected in zip(estimate, truth, strict=True):
            f, x = (
                seen.astype(np.float64) - middle,
                expected.astype(np.float64) - middle,
            )
            yield f * x, x * x, f, x, np.ones_like(x)

    sums = movie_sums(products())

    def slope(sums: Float64[ndarray, "draw k"]) -> Float64[ndarray, " draw"]:
        fx, xx, f, x = np.moveaxis(sums[:, :4] / sums[:, 4:], 1, 0)
        steepness: ndarray = (fx - f * x) / (xx - x**2)
        return steepness

    def intercept(sums: Float64[ndarray, "draw k"]) -> Float64[ndarray, " draw"]:
        f, x = np.moveaxis(sums[:, 2:4] / sums[:, 4:], 1, 0)
        level: ndarray = middle + f - slope(sums) * (middle + x)
        return level

    return block_bootstrap(sums, slope, rng), block_bootstrap(sums, intercept, rng)


def mean_bias(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    rng: np.random.Generator,
) -> tuple[Scored, Scored]:
    """Measure what the estimate has too much: mean, and rms over the bias map."""
    bias = bias_map(estimate, truth)
    mean = mean_of([bias], rng)
    sums = movie_sums([(bias**2, np.ones_like(bias))])

    def root(sums: Float64[ndarray, "draw k"]) -> Float64[ndarray, " draw"]:
        rms: ndarray = np.sqrt(ratio(sums))
        return rms

    return mean, block_bootstrap(sums, root, rng)


DEVIANCE = Score(
    unit="electrons",
    higher_is_better=False,
    range="from 0",
    summary="Poisson deviance of the truth from the estimate, per voxel: faint regions "
    "count as much as bright ones. It needs the true gain and offset, and a single "
    "voxel that is estimated as empty but is not counts much.",
)
BIAS = Score(
    unit="counts",
    higher_is_better=False,
    best=0.0,
    range="any number",
    summary="Mean of estimate minus truth. Any blur keeps it at 0, so it shows only "
    "wrong brightness.",
)
BIAS_RMS = Score(
    unit="counts",
    higher_is_better=False,
    range="from 0",
    summary="Root mean square over pixels of the bias map, the mean over frames of "
    "estimate minus truth: what is always wrong. Noise left in n frames adds its "
    "deviation over the root of n, and errors around what moves average out.",
)
SLOPE = Score(
    unit="",
    higher_is_better=False,
    best=1.0,
    range="any number, mostly 0 to 1",
    summary="Slope of the estimate over the truth: the share of the contrast that is "
    "kept. Large bright regions decide it; faint things may be lost at a slope of 1.",
)
INTERCEPT = Score(
    unit="counts",
    higher_is_better=False,
    best=0.0,
    range="any number",
    summary="What the line of estimate over truth gives for a truth of 0. It mirrors "
    "the slope, and says most where the truth comes near 0.",
)
