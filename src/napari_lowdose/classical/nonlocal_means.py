"""Averaging pixels whose surroundings look alike."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.coarse_step import warn_if_coarse
from napari_lowdose.classical.noise_std import noise_std

_LEVELS = 65535
_TEMPLATE_PX = 7
_SEARCH_PX = 21
# Rounding to steps of a fifth of the noise adds 0.3 % to its variance.
_STEP_PER_NOISE = 0.2


def denoise_nonlocal_means(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average pixels of a frame whose 7 x 7 px surroundings look alike.

    OpenCV's filter needs integers; its 8-bit form would leave 256 levels of a camera's
    65536. Here the stack's own range, one for all frames, is spread over 16 bits, and
    surroundings are compared by their mean absolute difference.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); rounded to a 65535th of the stack's range.
    settings
        ``h``: mean absolute difference of surroundings that look alike, in standard
        deviations of the stack's noise; pure noise differs by 1.13.

    Warns
    -----
    CoarseStep
        If extreme values stretch the range so far that a step is more than a fifth of
        the noise.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, Image Process. On Line 1, 208 (2011).
    """
    low, noise = float(stack.min()), noise_std(stack)
    step = (float(stack.max()) - low) / _LEVELS
    if not step:
        return stack.astype(np.float32)
    warn_if_coarse("non-local means", step, _STEP_PER_NOISE * noise)
    estimate = np.empty(stack.shape, np.float32)
    for frame, smooth in zip(stack, estimate, strict=True):
        levels = np.rint((frame.astype(np.float64) - low) / step).astype(np.uint16)
        smooth[:] = cv2.fastNlMeansDenoising(
            levels,
            h=[settings["h"] * noise / step],
            templateWindowSize=_TEMPLATE_PX,
            searchWindowSize=_SEARCH_PX,
            normType=cv2.NORM_L1,
        )
    return (estimate * step + low).astype(np.float32)


NONLOCAL_MEANS = Baseline(
    denoise=denoise_nonlocal_means,
    settings={
        "h": Setting(
            coarse=(0.5, 1.0, 2.0),
            lowest=0.25,
            highest=4.0,
            sentence="Difference of surroundings that look alike, in units of noise.",
        )
    },
    summary="Average pixels of a frame whose surroundings look alike.",
    even_noise=True,
)
