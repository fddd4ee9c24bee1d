"""Counts along a line through a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import map_coordinates

from napari_lowdose.stack import ArrayLike

_LEAST_SAMPLES = 2


@dataclass(frozen=True)
class Line:
    """A line through a frame, from the centre of one pixel to that of another.

    Parameters
    ----------
    start, end
        Row and column, in pixels; 0 is the centre of the first.
    """

    start: tuple[float, float]
    end: tuple[float, float]

    def length(self, pixel_size: tuple[float, float] = (1.0, 1.0)) -> float:
        """Measure it, in the unit of the edges (y, x) of a pixel."""
        steps = np.subtract(self.end, self.start) * pixel_size
        return float(np.hypot(*steps))

    def moved(self, rows: float, columns: float) -> Line:
        """Shift it, in pixels."""
        by = (rows, columns)
        start, end = (np.add(place, by).tolist() for place in (self.start, self.end))
        return Line((start[0], start[1]), (end[0], end[1]))


def profile(
    stack: ArrayLike, frame: int, line: Line, *, width: int = 1
) -> Float[ndarray, " n"]:
    """Interpolate counts along a line, about one value for each pixel of its length.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); only the part around the line is read.
    frame
        Which frame.
    line
        Where; what lies outside of the frame becomes NaN.
    width
        Over how many parallel lines, one pixel apart, to average.

    Returns
    -------
    ndarray
        From the start to the end of the line, evenly spaced.
    """
    rows, columns = _places(line, width)
    top, left = (max(0, int(np.floor(places.min()))) for places in (rows, columns))
    bottom, right = (int(np.ceil(places.max())) + 1 for places in (rows, columns))
    part = np.asarray(stack[frame, top : max(bottom, top), left : max(right, left)])
    if part.size == 0:
        return np.full(rows.shape[1], np.nan, np.float32)
    at = np.stack([rows - top, columns - left])
    values = map_coordinates(
        part.astype(np.float32), at, order=1, mode="constant", cval=np.nan
    )
    inside = np.isfinite(values)
    total = np.where(inside, values, 0).sum(axis=0)
    number = inside.sum(axis=0)
    mean = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return np.asarray(mean, np.float32)


def _places(
    line: Line, width: int
) -> tuple[Float[ndarray, "width n"], Float[ndarray, "width n"]]:
    """Find rows and columns of all samples."""
    start, end = np.asarray(line.start, float), np.asarray(line.end, float)
    length = line.length()
    along = np.linspace(0, 1, max(_LEAST_SAMPLES, round(length) + 1))
    across = np.array([-(end - start)[1], (end - start)[0]]) / (length or 1.0)
    offsets = np.arange(width) - (width - 1) / 2
    middle = start[:, None] + (end - start)[:, None] * along
    places = middle[:, None, :] + across[:, None, None] * offsets[:, None]
    return places[0], places[1]
