"""The unit in which the filters' strengths are given: a stack's own noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real
from numpy import ndarray

_TILE_PX = 16
_MOST_FRAMES = 32


def noise_std(stack: Real[ndarray, "t y x"]) -> float:
    """Measure the standard deviation of the noise of a typical pixel, in counts.

    Straight edges and ramps cancel in the second difference along both y and x. The
    median over tiles leaves out hot pixels and small bright things; unlike a median
    over pixels it also works at far less than one count per pixel. Noise that
    neighbouring pixels share is under-read.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); at most 32 frames of it are looked at.

    Returns
    -------
    float
        Counts; 1 for a stack without any variation.

    References
    ----------
    J. Immerkaer, Comput. Vis. Image Underst. 64, 300 (1996).
    """
    step = -(-stack.shape[0] // _MOST_FRAMES)
    frames = stack[::step].astype(np.float64)
    if min(frames.shape[1:]) < 3:
        return float(frames.std()) or 1.0
    # The weights (1, -2, 1) x (1, -2, 1) have a sum of squares of 36.
    residual = np.diff(np.diff(frames, 2, axis=1), 2, axis=2) / 6
    n, height, width = residual.shape
    tall, wide = min(_TILE_PX, height), min(_TILE_PX, width)
    rows, columns = height // tall, width // wide
    whole = residual[:, : rows * tall, : columns * wide] ** 2
    tiles = whole.reshape(n, rows, tall, columns, wide).mean(axis=(2, 4))
    # Where most tiles are empty, their mean still knows something.
    return float(np.sqrt(np.median(tiles) or tiles.mean())) or 1.0
