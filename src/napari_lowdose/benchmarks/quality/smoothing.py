"""A Gaussian in space and time whose widths the truth decides: what blurring can do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Real
from numpy import ndarray
from scipy import fft

from napari_lowdose.classical.gaussian_3d import blurred, gaussian_gains

# Widths to try: none, then by factors of 2^(1/4).
_WIDTHS = (0.0, *(0.25 * 2.0 ** (step / 4) for step in range(25)))


@dataclass(frozen=True)
class Smoothing:
    """The best of all Gaussian blurs of one stack.

    Parameters
    ----------
    sigma_px, sigma_frames
        Standard deviations along y and x, and along t.
    mse
        Mean squared error that it leaves, in counts squared.
    """

    sigma_px: float
    sigma_frames: float
    mse: float


def best_smoothing(
    noisy: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    *,
    temporal: bool = True,
) -> Smoothing:
    """Find the Gaussian blur that leaves the least error against the truth.

    No filter that averages by fixed weights falling off this way does better on this
    stack. All widths of a grid from 1/4 to 16, four per octave, are tried. As a blur
    with mirrored borders only scales cosine waves, all are judged from one transform.

    Parameters
    ----------
    noisy, truth
        Counts of shape (t, y, x).
    temporal
        Whether frames may be mixed.
    """
    waves, goal = (fft.dctn(a.astype(np.float64), norm="ortho") for a in (noisy, truth))
    power, common = waves**2, waves * goal
    total = float(np.sum(goal**2))
    best = Smoothing(0.0, 0.0, np.inf)
    for sigma_px in _WIDTHS:
        _, along_y, along_x = gaussian_gains(noisy.shape, sigma_px, 0.0)
        # What is left depends on the frequency in time only.
        powers = np.einsum("tyx,y,x->t", power, along_y**2, along_x**2, optimize=True)
        commons = np.einsum("tyx,y,x->t", common, along_y, along_x, optimize=True)
        for sigma_frames in _WIDTHS if temporal else (0.0,):
            in_time = gaussian_gains(noisy.shape, 0.0, sigma_frames)[0]
            error = np.sum(in_time * (in_time * powers - 2 * commons)) + total
            if error < best.mse * noisy.size:
                best = Smoothing(sigma_px, sigma_frames, max(error, 0.0) / noisy.size)
    return best


def smoothed(
    stack: Real[ndarray, "t y x"], smoothing: Smoothing
) -> Float32[ndarray, "t y x"]:
    """Blur a stack, with mirrored borders."""
    return blurred(stack, smoothing.sigma_px, smoothing.sigma_frames)
