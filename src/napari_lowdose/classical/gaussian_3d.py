"""Smoothing in space and time with a Gaussian."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32, Float64, Real
from numpy import ndarray
from scipy import fft

from napari_lowdose.classical.baseline import Baseline, Setting


def denoise_gaussian_3d(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average each pixel with neighbours in space and time, weighted by a Gaussian.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``sigma_px``, ``sigma_frames``: standard deviations along y and x, and along t.
    """
    estimate = blurred(stack, settings["sigma_px"], settings["sigma_frames"])
    # Narrow Gaussians overshoot a little, since their waves are cut at the highest one.
    return np.clip(estimate, float(stack.min()), float(stack.max()), out=estimate)


def blurred(
    stack: Real[ndarray, "t y x"], sigma_px: float, sigma_frames: float
) -> Float32[ndarray, "t y x"]:
    """Blur a stack, with mirrored borders.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    sigma_px, sigma_frames
        Standard deviations along y and x, and along t; 0 for none.
    """
    # Without its mean, which may be an offset that single precision cannot hold.
    mean = float(stack.mean(dtype=np.float64))
    signal = np.subtract(stack, mean, dtype=np.float64).astype(np.float32)
    waves = fft.dctn(signal, norm="ortho", overwrite_x=True)
    for axis, gain in enumerate(gaussian_gains(stack.shape, sigma_px, sigma_frames)):
        others = [other for other in range(3) if other != axis]
        waves *= np.expand_dims(gain.astype(np.float32), others)
    estimate: ndarray = fft.idctn(waves, norm="ortho", overwrite_x=True)
    estimate += np.float32(mean)
    return estimate


def gaussian_gains(
    shape: tuple[int, ...], sigma_px: float, sigma_frames: float
) -> list[Float64[ndarray, " n"]]:
    """Give what a Gaussian leaves of the cosine waves along each axis."""
    widths = (sigma_frames, sigma_px, sigma_px)
    return [
        np.exp(-0.5 * (width * np.pi * np.arange(n) / n) ** 2)
        for n, width in zip(shape, widths, strict=True)
    ]


GAUSSIAN_3D = Baseline(
    denoise=denoise_gaussian_3d,
    settings={
        "sigma_px": Setting(
            coarse=(0.5, 1.0, 2.0),
            lowest=0.25,
            highest=32.0,
            sentence="Standard deviation of the Gaussian in the frame, in pixels.",
        ),
        "sigma_frames": Setting(
            coarse=(0.5, 2.0, 8.0),
            lowest=0.25,
            highest=32.0,
            sentence="Standard deviation of the Gaussian in time, in frames.",
        ),
    },
    summary="Average each pixel with its neighbours in space and time.",
    temporal=True,
    bytes_per_voxel=16,
)
