"""Taking the median of neighbouring frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting, check_frames

_LEAST_FRAMES = 3


def denoise_temporal_median(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Take the median of each pixel over a window of frames, mirrored at the ends.

    Moving edges stay sharp and sparks go. Of a few counts per window the median is
    too low: that of single electrons now and then is none.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x), 3 frames or more.
    settings
        ``half_window``: frames before and after the one that is estimated, rounded.

    Raises
    ------
    UnusableStack
        If there are fewer than 3 frames.
    """
    n_frames = len(stack)
    check_frames(n_frames, _LEAST_FRAMES)
    half = round(settings["half_window"])
    around = np.pad(np.arange(n_frames), half, mode="symmetric")
    estimate = np.empty(stack.shape, np.float32)
    for frame, smooth in enumerate(estimate):
        smooth[:] = np.median(stack[around[frame : frame + 2 * half + 1]], axis=0)
    return estimate


TEMPORAL_MEDIAN = Baseline(
    denoise=denoise_temporal_median,
    settings={
        "half_window": Setting(
            coarse=(1.0, 2.0, 4.0, 8.0),
            lowest=1.0,
            highest=32.0,
            sentence="Frames before and after the one that is estimated.",
        )
    },
    summary="Take the median of each pixel over a window of frames.",
    temporal=True,
    least_frames=_LEAST_FRAMES,
    bytes_per_voxel=8,
)
