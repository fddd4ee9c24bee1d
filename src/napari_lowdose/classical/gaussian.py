"""Smoothing each frame with a Gaussian."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting


def denoise_gaussian(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average each pixel with its neighbours, weighted by a Gaussian.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``sigma_px``: standard deviation of the Gaussian, in pixels.
    """
    sigma = settings["sigma_px"]
    estimate = np.empty(stack.shape, np.float32)
    for frame, smooth in zip(stack, estimate, strict=True):
        smooth[:] = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), sigma)
    return estimate


GAUSSIAN = Baseline(
    denoise=denoise_gaussian,
    settings={
        "sigma_px": Setting(
            coarse=(0.5, 1.0, 2.0, 4.0),
            lowest=0.25,
            highest=32.0,
            sentence="Standard deviation of the Gaussian, in pixels.",
        )
    },
    summary="Average each pixel with its neighbours, weighted by a Gaussian.",
)
