"""How even an estimate is where the specimen is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.metrics.metric import Score, Scored

Box = tuple[int, int, int, int]
"""First row, end row, first column, end column, in pixels."""


def rsd(stack: Real[ndarray, "t y x"], box: Box, *, offset: float = 0.0) -> Scored:
    """Measure the relative standard deviation in a box, in per cent.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); the frames' relative deviations are averaged.
    box
        Where the specimen is flat: first row, end row, first column, end column.
    offset
        Counts in the dark.

    Returns
    -------
    Scored
        Its standard error is from the frames, as if their noise were independent; NaN
        for one frame. Quanta alone leave 100 % over the root of their number.

    Raises
    ------
    ValueError
        If the box has fewer than two pixels or leaves the frame, or is dark.

    References
    ----------
    Notes on algorithms, section 24.3.
    """
    top, bottom, left, right = box
    height, width = stack.shape[1:]
    inside = 0 <= top < bottom <= height and 0 <= left < right <= width
    if not inside or (bottom - top) * (right - left) < 2:
        raise ValueError(
            "expected a box (first row, end row, first column, end column) of at least "
            f"two pixels in frames of {height} x {width}, got {box}"
        )
    counts = stack[:, top:bottom, left:right].astype(np.float64) - offset
    means = counts.mean(axis=(1, 2))
    if not means.min() > 0:
        raise ValueError(
            f"expected counts above the offset {offset:g} in the box {box}; "
            "choose a bright one, or check the offset"
        )
    each = 100 * counts.std(axis=(1, 2), ddof=1) / means
    error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
    return Scored(float(each.mean()), float(error))


RSD = Score(
    unit="%",
    higher_is_better=False,
    range="from 0",
    summary="Standard deviation over mean in a box where the specimen is flat. It "
    "measures smoothness, not truth: a constant has 0, and a specimen that is not flat "
    "makes the best estimate look noisy.",
)
