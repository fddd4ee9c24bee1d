"""How one row and one column of a movie change over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.stack import ArrayLike


@dataclass(frozen=True)
class Kymographs:
    """The x-t and the y-t slice through one place of a stack.

    Parameters
    ----------
    xt
        One row over time, of shape (t, x).
    yt
        One column over time, of shape (t, y).
    """

    xt: Real[ndarray, "t x"]
    yt: Real[ndarray, "t y"]


def kymographs(stack: ArrayLike, *, row: int, column: int) -> Kymographs:
    """Cut a stack along time, where a row and a column cross.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); only the row and the column are kept in memory.
    row, column
        Where; the nearest ones inside the frame.
    """
    row, column = (
        int(np.clip(place, 0, length - 1))
        for place, length in zip((row, column), stack.shape[1:], strict=True)
    )
    return Kymographs(np.array(stack[:, row, :]), np.array(stack[:, :, column]))
