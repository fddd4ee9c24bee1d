"""Pixels around many places at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from numpy import ndarray
from scipy import special

# At once: what is computed on them stays in the cache, and many calls are spared.
_FEW_PIXELS = 200_000


def square(reach_px: int) -> Int[ndarray, "2 p"]:
    """List the offsets (y, x) of a square window."""
    return np.mgrid[-reach_px : reach_px + 1, -reach_px : reach_px + 1].reshape(2, -1)


def disc(radius_px: float) -> Int[ndarray, "2 p"]:
    """List the offsets (y, x) of a round window, wherever in a pixel its centre is."""
    offsets = square(int(np.ceil(radius_px)))
    return offsets[:, np.hypot(*offsets) <= radius_px + 0.5]


def pixels_around(
    centre: Float[ndarray, "n 2"], offsets: Int[ndarray, "2 p"], shape: tuple[int, ...]
) -> tuple[Bool[ndarray, "n p"], Int[ndarray, "n p"], Int[ndarray, "n p"]]:
    """Give the pixels of the windows around places.

    Parameters
    ----------
    centre
        Places (y, x), in pixels; each window is around the nearest pixel.
    offsets
        Of the pixels (y, x) of a window.
    shape
        Rows and columns of a frame.

    Returns
    -------
    inside, y, x
        Whether each pixel is in the frame, and the pixel; off the frame the nearest
        one in it.
    """
    reach = _reach(offsets)
    nearest = np.rint(centre).astype(np.int64)
    # Rows and columns on their own first: there are fewer of them than pixels.
    along = nearest.T[:, :, None] + np.arange(-reach, reach + 1)
    limits = np.array(shape)[:, None, None]
    (inside_y, inside_x) = (along >= 0) & (along < limits)
    y, x = np.clip(along, 0, limits - 1)
    row, column = offsets + reach
    inside = inside_y[:, row] & inside_x[:, column]
    return inside, y[:, row], x[:, column]


def distance_px(
    centre: Float[ndarray, "n 2"], offsets: Int[ndarray, "2 p"]
) -> Float64[ndarray, "n p"]:
    """Measure how far the pixels of a window are from the place in its middle."""
    reach = _reach(offsets)
    beside = (centre - np.rint(centre)).T[:, :, None]
    squared = (np.arange(-reach, reach + 1) - beside) ** 2
    row, column = offsets + reach
    away: ndarray = squared[0][:, row]
    away += squared[1][:, column]
    np.sqrt(away, out=away)
    return away


def gaussian_spots(
    centre: Float[ndarray, "n 2"],
    sigma_px: Float[ndarray, " n"],
    offsets: Int[ndarray, "2 p"],
) -> Float64[ndarray, "n p"]:
    """Give each pixel's share of Gaussian spots, integrated over the pixel.

    The shares of all pixels of a plane sum to one.
    """
    reach = _reach(offsets)
    edges = np.arange(-reach, reach + 2) - 0.5
    beside = (centre - np.rint(centre)).T[:, :, None]
    scaled = (edges - beside) / (np.sqrt(2) * sigma_px[:, None])
    along = np.diff(special.erf(scaled), axis=2) / 2
    row, column = offsets + reach
    shares: ndarray = along[0][:, row]
    shares *= along[1][:, column]
    return shares


def _reach(offsets: Int[ndarray, "2 p"]) -> int:
    return int(np.abs(offsets).max(initial=0))


def pieces(n_windows: int, n_pixels: int) -> Iterator[slice]:
    """Cut many windows into a few at once."""
    step = max(_FEW_PIXELS // max(n_pixels, 1), 1)
    for start in range(0, n_windows, step):
        yield slice(start, start + step)


def of_one_size(
    radius_px: Float[ndarray, " n"],
) -> Iterator[tuple[Int[ndarray, " m"], Int[ndarray, "2 p"]]]:
    """Take places together whose round windows are about as large, a few at once.

    Yields
    ------
    rows, offsets
        Which places, and the offsets (y, x) of the largest of their windows.
    """
    reach = np.ceil(radius_px)
    for size in np.unique(reach):
        rows, offsets = np.flatnonzero(reach == size), disc(float(size))
        for piece in pieces(len(rows), offsets.shape[1]):
            yield rows[piece], offsets
