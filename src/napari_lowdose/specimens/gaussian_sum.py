"""Exact sums of many equally wide Gaussians, as matrix products."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

# At six standard deviations a Gaussian is 1.5e-8 of its height: nothing, in float32.
_REACH = 6.0
# Larger tiles multiply more zeros, smaller ones cost more calls.
_TILE_PX = 128


def add_gaussians(
    image: Float[ndarray, "y x"],
    position: Float[ndarray, "n 2"],
    height: Float[ndarray, " n"],
    *,
    std_px: float,
) -> None:
    """Add Gaussians of one width to an image, in place.

    Parameters
    ----------
    image
        What to add to, float32.
    position
        Centres (y, x), in pixels; 0 is the middle of the first pixel.
    height
        What each adds at its centre.
    std_px
        Standard deviation, in pixels.
    """
    position = position.astype(np.float32)
    height = height.astype(np.float32)
    reach = _REACH * std_px
    rows, columns = image.shape
    for top in range(0, rows, _TILE_PX):
        y = position[:, 0] - top
        band = np.flatnonzero((y > -reach) & (y < min(_TILE_PX, rows - top) + reach))
        for left in range(0, columns, _TILE_PX):
            x = position[band, 1] - left
            width = min(_TILE_PX, columns - left)
            near = band[(x > -reach) & (x < width + reach)]
            tile = image[top : top + _TILE_PX, left : left + _TILE_PX]
            along_y = _bells(y[near], tile.shape[0], std_px) * height[near, None]
            along_x = _bells(position[near, 1] - left, tile.shape[1], std_px)
            tile += along_y.T @ along_x


def _bells(
    centre: Float[ndarray, " n"], length: int, std_px: float
) -> Float[ndarray, "n length"]:
    """Draw Gaussians of height 1 along one axis."""
    away = np.arange(length, dtype=np.float32) - centre[:, None]
    away *= np.float32(np.sqrt(0.5) / std_px)
    np.multiply(away, away, out=away)
    np.negative(away, out=away)
    bells: ndarray = np.exp(away, out=away)
    return bells
