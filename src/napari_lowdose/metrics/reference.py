"""Scores that compare an estimate with the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.metrics.metric import Metric

# The window of structural similarity: a Gaussian of 1.5 px, cut at 3.5 deviations.
_SSIM_STD_PX = 1.5
_SSIM_WINDOW_PX = 11
_SSIM_K1, _SSIM_K2 = 0.01, 0.03


def data_range(truth: Real[ndarray, "t y x"]) -> float:
    """Measure the range R of PSNR and SSIM: the truth's maximum minus its minimum.

    Raises
    ------
    ValueError
        If the truth has no range.
    """
    span = float(truth.max()) - float(truth.min())
    if not span > 0:
        raise ValueError(
            f"expected a truth with contrast, but every value is {truth.flat[0]:g}; "
            "check the file"
        )
    return span


def mse(estimate: Real[ndarray, "t y x"], truth: Real[ndarray, "t y x"]) -> float:
    """Average the squared error, in counts squared."""
    # Frame by frame in float64: exact sums without a second copy of the stack.
    frames = zip(estimate, truth, strict=True)
    means = [np.mean(np.subtract(e, t, dtype=np.float64) ** 2) for e, t in frames]
    return float(np.mean(means))


def psnr(estimate: Real[ndarray, "t y x"], truth: Real[ndarray, "t y x"]) -> float:
    """Compare the truth's range with the root mean squared error, in decibels.

    R is the range of the whole truth, so that numbers of one movie can be compared;
    nothing is clipped, which alone may lift a noisy movie by 3 dB.
    """
    error = mse(estimate, truth)
    return 10 * math.log10(data_range(truth) ** 2 / error) if error else math.inf


def ssim(estimate: Real[ndarray, "t y x"], truth: Real[ndarray, "t y x"]) -> float:
    """Average the structural similarity over frames.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, IEEE Trans. Image Process.
    13, 600 (2004): Gaussian window of 1.5 px, K1 = 0.01, K2 = 0.03.
    """
    return float(np.mean([image.mean() for image in ssim_maps(estimate, truth)]))


def ssim_maps(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    span: float | None = None,
) -> Iterator[Float64[ndarray, "y x"]]:
    """Give the structural similarity of each window that fits, frame by frame.

    The range is that of the truth, unless these are parts of a movie of another.
    """
    span = data_range(truth) if span is None else span
    c1, c2 = (_SSIM_K1 * span) ** 2, (_SSIM_K2 * span) ** 2
    for seen, expected in zip(estimate, truth, strict=True):
        e, t = seen.astype(np.float64), expected.astype(np.float64)
        mean_e, mean_t, ee, tt, et = map(_in_windows, (e, t, e * e, t * t, e * t))
        both = mean_e * mean_t
        squares = mean_e**2 + mean_t**2
        yield (
            (2 * both + c1)
            * (2 * (et - both) + c2)
            / ((squares + c1) * (ee + tt - squares + c2))
        )


def _in_windows(image: Float64[ndarray, "y x"]) -> Float64[ndarray, "_ _"]:
    """Average over the windows that fit."""
    reach = _SSIM_WINDOW_PX // 2
    distances = np.arange(-reach, reach + 1)
    weights = np.exp(-(distances**2) / (2 * _SSIM_STD_PX**2))
    weights /= weights.sum()
    smooth: ndarray = cv2.sepFilter2D(image, cv2.CV_64F, weights, weights)
    return smooth[reach:-reach, reach:-reach]


MSE = Metric(
    measure=mse,
    needs_truth=True,
    unit="counts²",
    higher_is_better=False,
    range="from 0",
    summary="Mean squared error against the truth. A blur that erases small, faint "
    "things hardly changes it.",
)
PSNR = Metric(
    measure=psnr,
    needs_truth=True,
    unit="dB",
    higher_is_better=True,
    range="any number",
    summary="Truth's range (maximum minus minimum, whole stack, nothing clipped) over "
    "the root mean squared error. Compare only numbers of the same movie: another "
    "range shifts them all.",
)
SSIM = Metric(
    measure=ssim,
    needs_truth=True,
    unit="",
    higher_is_better=True,
    range="-1 to 1",
    least_shape=(1, _SSIM_WINDOW_PX, _SSIM_WINDOW_PX),
    summary="Structural similarity to the truth in 11 px windows, mean over frames. "
    "Large flat regions lift it whatever happens to the particles.",
)
