"""How bright spots are in an estimate, to be put beside their raw amplitudes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Real
from numpy import ndarray

_REACH = 3.0  # of the window, in standard deviations of the largest spot
_LEAST_PX = 3
_STRONG = 3.0  # standard errors of an amplitude that is worth comparing


def spot_brightness(
    stack: Real[ndarray, "t y x"], spots: pd.DataFrame
) -> Float[ndarray, " n"]:
    """Fit a Gaussian on a flat background to each spot of a stack.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); only windows around the spots are read.
    spots
        frame, y, x and sigma (the Gaussian's deviation) of each, in pixels.

    Returns
    -------
    Float[ndarray, "n"]
        Counts in the whole spot, below zero for a dark one; NaN outside the stack.
    """
    n_frames, height, width = stack.shape
    frame = spots["frame"].to_numpy(int)
    y, x, sigma = (spots[name].to_numpy(float) for name in ("y", "x", "sigma"))
    reach = max(_LEAST_PX, int(np.ceil(_REACH * sigma.max(initial=0.0))))
    across = np.arange(-reach, reach + 1)
    rows = np.rint(y).astype(int)[:, None] + across
    columns = np.rint(x).astype(int)[:, None] + across
    # An index out of range would be an error: take some pixel there, and leave it out.
    t = frame.clip(0, n_frames - 1)
    counts = stack[
        t[:, None, None],
        rows.clip(0, height - 1)[:, :, None],
        columns.clip(0, width - 1)[:, None, :],
    ].astype(np.float64)
    inside = ((rows >= 0) & (rows < height))[:, :, None]
    inside = inside & ((columns >= 0) & (columns < width))[:, None, :]
    along_y = _gaussian(rows - y[:, None], sigma)
    along_x = _gaussian(columns - x[:, None], sigma)
    slope = _slope(along_y[:, :, None] * along_x[:, None, :], counts, inside)
    return np.where(frame == t, slope, np.nan)


def quanta_per_count(
    amplitude: Float[ndarray, " n"],
    amplitude_std: Float[ndarray, " n"],
    brightness: Float[ndarray, " n"],
) -> float:
    """Find how many quanta a count of the estimate stands for.

    It is the slope of the raw amplitudes over the estimate's, through zero, weighted by
    the errors of the former. Only spots that the raw counts show clearly enter: those
    that the denoiser invented would pull it down.

    Parameters
    ----------
    amplitude, amplitude_std
        Of spots in the raw counts, and the standard errors, in quanta.
    brightness
        Of the same spots in the estimate, in counts.

    Returns
    -------
    float
        NaN where no spot is clear.
    """
    clear = np.isfinite(brightness) & (np.abs(amplitude) > _STRONG * amplitude_std)
    weight = 1 / np.maximum(amplitude_std[clear], 1e-12) ** 2
    square = float(np.sum(weight * brightness[clear] ** 2))
    if not square > 0:
        return float("nan")
    return float(np.sum(weight * amplitude[clear] * brightness[clear])) / square


def _gaussian(
    away_px: Float[ndarray, "n k"], sigma_px: Float[ndarray, " n"]
) -> Float[ndarray, "n k"]:
    """Give Gaussians of sum 1."""
    sigma = sigma_px[:, None]
    profile: ndarray = np.exp(-0.5 * (away_px / sigma) ** 2)
    profile /= np.sqrt(2 * np.pi) * sigma
    return profile


def _slope(
    profile: Float[ndarray, "n h w"],
    counts: Float[ndarray, "n h w"],
    inside: Bool[ndarray, "n h w"],
) -> Float[ndarray, " n"]:
    """Regress the counts of each window on its profile, with a constant."""
    n_px = np.maximum(inside.sum((1, 2)), 1)[:, None, None]
    deviation = profile - (profile * inside).sum((1, 2), keepdims=True) / n_px
    deviation *= inside
    square = (deviation**2).sum((1, 2))
    product = (deviation * counts).sum((1, 2))
    slope: ndarray = np.where(square > 0, product / np.maximum(square, 1e-300), np.nan)
    return slope
