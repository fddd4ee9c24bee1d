"""How well a method foretells counts that it is not shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Real
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.metrics.blocks import block_bootstrap, movie_sums, ratio
from napari_lowdose.metrics.metric import Score, Scored
from napari_lowdose.metrics.unsupervised import refuse_unlike

Denoise = Callable[[ndarray], ndarray]
"""Takes noisy counts (t, y, x) and gives an estimate of the same shape."""

_PERIOD_PX = 4
_NEIGHBOURS = np.array([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]])


def noise2self_loss(
    denoise: Denoise, noisy: Real[ndarray, "t y x"], rng: np.random.Generator
) -> Scored:
    """Compare recorded counts with what a method makes of everything around them.

    Every fourth pixel of every fourth row is replaced by the mean of its neighbours,
    by its place and never by its value; the grid lies elsewhere in each frame. Where
    noise is independent from pixel to pixel, the loss is the true squared error of the
    method so blinded, plus the noise's variance.

    Parameters
    ----------
    denoise
        Takes counts (t, y, x), gives an estimate.
    noisy
        Counts as recorded.
    rng
        Places the grids, and draws tiles for the standard error.

    Returns
    -------
    Scored
        In counts squared.

    References
    ----------
    J. Batson and L. Royer, Noise2Self, Proc. ICML, PMLR 97, 524 (2019).
    """
    recorded = noisy.astype(np.float32)
    blind = _grids(recorded.shape, rng)
    estimate = denoise(np.where(blind, _neighbour_means(recorded), recorded))
    refuse_unlike(estimate, recorded, "counts that the method was given")
    sums = movie_sums(
        (np.where(mask, (f - y.astype(np.float64)) ** 2, 0.0), mask.astype(np.float64))
        for f, y, mask in zip(estimate, recorded, blind, strict=True)
    )
    return block_bootstrap(sums, ratio, rng)


def _grids(shape: tuple[int, ...], rng: np.random.Generator) -> Bool[ndarray, "t y x"]:
    """Mark one of 16 grids in each frame; all are used before one comes again."""
    mask = np.zeros(shape, bool)
    order = rng.permutation(_PERIOD_PX**2)
    for t, frame in enumerate(mask):
        row, column = divmod(int(order[t % len(order)]), _PERIOD_PX)
        frame[row::_PERIOD_PX, column::_PERIOD_PX] = True
    return mask


def _neighbour_means(stack: Real[ndarray, "t y x"]) -> Real[ndarray, "t y x"]:
    """Average the eight neighbours, fewer at the rim; the pixel itself is left out."""
    weights = ndimage.convolve(np.ones(stack.shape[1:]), _NEIGHBOURS, mode="constant")
    means = [ndimage.convolve(f, _NEIGHBOURS, mode="constant") / weights for f in stack]
    return np.stack(means).astype(stack.dtype)


NOISE2SELF = Score(
    unit="counts²",
    higher_is_better=False,
    range="from the variance of the noise",
    summary="Squared error of recorded counts against what the method makes of their "
    "surroundings: true error plus the noise's variance, so that only differences "
    "count. It lies where the noise of neighbours is correlated, and judges the method "
    "without the pixel itself, which matters where there are many counts.",
)
