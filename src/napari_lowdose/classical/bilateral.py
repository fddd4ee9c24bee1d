"""Smoothing each frame where neighbours have similar counts."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.coarse_step import warn_if_coarse
from napari_lowdose.classical.noise_std import noise_std

# OpenCV looks the weight of a difference up in a table of this many entries over the
# frame's range, and interpolates between them.
_LEVELS = 4096


def denoise_bilateral(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average each pixel with neighbours that are near in place and in counts.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``sigma_px``: reach in space, in pixels. ``sigma_noise``: difference in counts
        that still counts as similar, in standard deviations of the stack's noise.

    Warns
    -----
    CoarseStep
        If extreme values stretch the table of weights to steps beyond half of the
        similarity.

    References
    ----------
    C. Tomasi and R. Manduchi, Proc. ICCV, 839 (1998).
    """
    noise = noise_std(stack)
    similar = settings["sigma_noise"]
    span = float(stack.max()) - float(stack.min())
    warn_if_coarse("the bilateral filter", span / _LEVELS, similar * noise / 2)
    estimate = np.empty(stack.shape, np.float32)
    for frame, smooth in zip(stack, estimate, strict=True):
        # In units of the noise: OpenCV returns frames whose range is below 1.2e-7 as
        # they are, which counts in tiny units would meet.
        scaled = np.divide(frame, noise, dtype=np.float64).astype(np.float32)
        smooth[:] = cv2.bilateralFilter(scaled, -1, similar, settings["sigma_px"])
    estimate *= np.float32(noise)
    return estimate


BILATERAL = Baseline(
    denoise=denoise_bilateral,
    settings={
        "sigma_px": Setting(
            coarse=(1.0, 2.0, 4.0),
            lowest=0.5,
            highest=8.0,
            sentence="Reach in space, in pixels.",
        ),
        "sigma_noise": Setting(
            coarse=(2.0, 4.0, 8.0),
            lowest=0.5,
            highest=32.0,
            sentence="Counts that are still similar, in standard deviations of noise.",
        ),
    },
    summary="Average each pixel with neighbours that are near in place and in counts.",
    even_noise=True,
)
