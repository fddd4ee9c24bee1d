"""Averaging neighbouring frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray
from scipy.ndimage import uniform_filter1d

from napari_lowdose.classical.baseline import Baseline, Setting, check_frames

_LEAST_FRAMES = 3


def denoise_running_mean(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average each pixel over a window of frames, mirrored at the movie's ends.

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
    check_frames(len(stack), _LEAST_FRAMES)
    window = 2 * round(settings["half_window"]) + 1
    estimate: ndarray = uniform_filter1d(stack, window, axis=0, output=np.float32)
    return estimate


RUNNING_MEAN = Baseline(
    denoise=denoise_running_mean,
    settings={
        "half_window": Setting(
            coarse=(1.0, 2.0, 4.0, 8.0),
            lowest=1.0,
            highest=32.0,
            sentence="Frames before and after the one that is estimated.",
        )
    },
    summary="Average each pixel over a window of frames.",
    temporal=True,
    least_frames=_LEAST_FRAMES,
    bytes_per_voxel=4,
)
