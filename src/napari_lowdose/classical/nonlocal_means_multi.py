"""Averaging pixels of five frames whose surroundings look alike."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting, check_frames
from napari_lowdose.classical.coarse_step import warn_if_coarse
from napari_lowdose.classical.noise_std import noise_std

_LEVELS = 65535
_TEMPLATE_PX, _SEARCH_PX = 7, 21
_FRAMES = 5
_STEP_PER_NOISE = 0.2  # as in one frame


def denoise_nonlocal_means_multi(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average pixels of five frames whose 7 x 7 px surroundings look alike.

    As `denoise_nonlocal_means`, in 16 bits over the stack's own range, but looking in
    two frames before and after as well. The movie is mirrored at its ends.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x), 5 frames or more.
    settings
        ``h``: mean absolute difference of surroundings that look alike, in standard
        deviations of the stack's noise; pure noise differs by 1.13.

    Raises
    ------
    UnusableStack
        If there are fewer than 5 frames.

    Warns
    -----
    CoarseStep
        If extreme values stretch the range so far that a step is more than a fifth of
        the noise.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, Proc. AVSS, 709 (2005): movies need no motion
    estimation.
    """
    n_frames = len(stack)
    check_frames(n_frames, _FRAMES)
    low, noise = float(stack.min()), noise_std(stack)
    step = (float(stack.max()) - low) / _LEVELS
    if not step:
        return stack.astype(np.float32)
    warn_if_coarse("non-local means", step, _STEP_PER_NOISE * noise)
    levels = [
        np.rint((frame.astype(np.float64) - low) / step).astype(np.uint16)
        for frame in stack
    ]
    around = np.pad(np.arange(n_frames), _FRAMES // 2, mode="reflect")
    estimate = np.empty(stack.shape, np.float32)
    for frame, smooth in enumerate(estimate):
        smooth[:] = cv2.fastNlMeansDenoisingMulti(
            [levels[there] for there in around[frame : frame + _FRAMES]],
            _FRAMES // 2,
            _FRAMES,
            h=[settings["h"] * noise / step],
            templateWindowSize=_TEMPLATE_PX,
            searchWindowSize=_SEARCH_PX,
            normType=cv2.NORM_L1,
        )
    return (estimate * step + low).astype(np.float32)


NONLOCAL_MEANS_MULTI = Baseline(
    denoise=denoise_nonlocal_means_multi,
    settings={
        "h": Setting(
            coarse=(0.5, 1.0, 2.0),
            lowest=0.25,
            highest=4.0,
            sentence="Difference of surroundings that look alike, in units of noise.",
        )
    },
    summary="Average pixels of five frames whose surroundings look alike.",
    temporal=True,
    even_noise=True,
    least_frames=_FRAMES,
    bytes_per_voxel=20,
)
