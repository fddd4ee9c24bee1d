"""Judging a filter without truth: at pixels that it has not seen."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack

_PERIOD_PX = 4
_LEAST_PX = 4
_NEIGHBOURS = np.array([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]], np.float32)
# Variance of the neighbours' weighted mean, in variances of one pixel.
_MEAN_VARIANCE = float((_NEIGHBOURS**2).sum() / _NEIGHBOURS.sum() ** 2)


def hold_out(
    stack: Real[ndarray, "t y x"], rng: np.random.Generator, *, temporal: bool = False
) -> tuple[Float[ndarray, "n y x"], Float[ndarray, "n y x"], Bool[ndarray, "n y x"]]:
    """Replace a grid of pixels by what their surroundings let expect.

    What a filter makes of the result cannot depend on the replaced pixels. Where noise
    is independent from pixel to pixel, its squared error against their recorded counts
    is therefore the true squared error plus the noise's variance, a constant: filters
    and strengths are ranked as the truth would rank them.

    A replaced pixel gets the mean of its eight neighbours and, on top, the residual of
    a pixel nearby, so that it is as noisy as the others. The bare mean would be less
    noisy, and filters that compare counts would be tuned for an input that they never
    meet (3.6 dB worse for a bilateral filter at 10 counts per pixel).

    Parameters
    ----------
    stack
        Counts of shape (t, y, x). Each image holds out one of 16 grids of every fourth
        pixel; with fewer than 16 frames, frames are repeated with other grids.
    rng
        Chooses the pixels whose residuals are taken.
    temporal
        Whether the filter mixes frames: then none is repeated, as the filter would find
        a held-out pixel in the repetition.

    Returns
    -------
    masked, recorded, held_out
        Input for the filter and counts as recorded, float32; and where to compare.

    Raises
    ------
    UnusableStack
        If frames are less than 4 pixels high or wide: there are too few neighbours.

    References
    ----------
    J. Batson and L. Royer, Noise2Self, Proc. ICML, PMLR 97, 524 (2019).
    """
    frames, height, width = stack.shape
    if min(height, width) < _LEAST_PX:
        raise UnusableStack(
            f"expected frames of at least {_LEAST_PX} x {_LEAST_PX} pixels to tune "
            f"without truth, got {height} x {width}; give the truth"
        )
    # Image i holds out grid i: the grids of a repeated frame all differ.
    indices = np.arange(frames if temporal else max(frames, _PERIOD_PX**2))
    recorded = stack[indices % frames].astype(np.float32)
    held_out = np.zeros(recorded.shape, bool)
    for i in indices:
        row, column = divmod(int(i) % _PERIOD_PX**2, _PERIOD_PX)
        held_out[i, row::_PERIOD_PX, column::_PERIOD_PX] = True
    means = _neighbour_means(recorded)
    masked = recorded.copy()
    masked[held_out] = means[held_out]
    masked[held_out] += _residuals_nearby(recorded - means, held_out, rng)
    return masked, recorded, held_out


def _neighbour_means(images: Float[ndarray, "n y x"]) -> Float[ndarray, "n y x"]:
    """Average the eight neighbours, fewer at the rim; the pixel itself is left out."""
    weights = _neighbour_sums(np.ones(images.shape[1:], np.float32))
    return np.stack([_neighbour_sums(image) / weights for image in images])


def _neighbour_sums(image: Float[ndarray, "y x"]) -> Float[ndarray, "y x"]:
    sums: ndarray = cv2.filter2D(image, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    return sums


def _residuals_nearby(
    residuals: Float[ndarray, "n y x"],
    held_out: Bool[ndarray, "n y x"],
    rng: np.random.Generator,
) -> Float[ndarray, " m"]:
    """Draw for each held-out pixel the residual of one at a distance of 2 pixels.

    At that distance, neither the pixel nor its neighbours are held out themselves.
    """
    image, row, column = np.nonzero(held_out)
    ring = [(a, b) for a in range(-2, 3) for b in range(-2, 3) if 2 in (abs(a), abs(b))]
    step = np.array(ring)[rng.integers(len(ring), size=len(row))]
    near_row = _stepped(row, step[:, 0], residuals.shape[1])
    near_column = _stepped(column, step[:, 1], residuals.shape[2])
    # A residual has the variance 1 + v; what the mean of variance v lacks is 1 - v.
    scale = ((1 - _MEAN_VARIANCE) / (1 + _MEAN_VARIANCE)) ** 0.5
    drawn: ndarray = residuals[image, near_row, near_column] * np.float32(scale)
    return drawn


def _stepped(
    index: Int[ndarray, " m"], step: Int[ndarray, " m"], length: int
) -> Int[ndarray, " m"]:
    """Step along an axis; at the rim the other way, so never back onto the pixel."""
    there = index + step
    inside: ndarray = np.where((there < 0) | (there >= length), index - step, there)
    return inside
