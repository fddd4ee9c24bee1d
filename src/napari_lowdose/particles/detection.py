"""Finding spots: maxima of a Laplacian of Gaussian over a few scales."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Real
from numpy import ndarray
from scipy import ndimage

SIGMAS_PX = (1.0, 1.6, 2.5, 4.0)
_SEPARATION_PX = 4
_REACH = 4.0  # of the kernels, in standard deviations
# Of the largest count: what rounding alone may leave of a flat frame.
_ROUNDING = 1e-6


class Polarity(StrEnum):
    """Which spots are looked for."""

    BRIGHT = "bright"  # brighter than what is around them
    DARK = "dark"
    BOTH = "both"


def log_response(
    stack: Real[ndarray, "t y x"], sigma_px: float
) -> Float32[ndarray, "t y x"]:
    """Filter each frame so that bright spots of one size stand out.

    The filter is ``-s^2 laplace(G_s * f)`` with the Gaussian `G_s`, normalised by the
    scale `s`. At the centre of a Gaussian spot of height `a` and its own deviation `s`
    the response is ``a / 2``; a disc of radius ``s sqrt(2)`` gives ``0.74 a``. White
    noise of deviation `sigma` gets one of ``sigma / (s sqrt(2 pi))``.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    sigma_px
        The scale `s`, in pixels, at least about 1.

    References
    ----------
    T. Lindeberg, Int. J. Comput. Vis. 30, 79 (1998).
    """
    frames = np.asarray(stack, np.float32)
    smooth, curved = _kernels(sigma_px)
    along_y = ndimage.correlate1d(frames, curved, axis=1)
    along_y = ndimage.correlate1d(along_y, smooth, axis=2)
    response: ndarray = ndimage.correlate1d(frames, curved, axis=2)
    response = ndimage.correlate1d(response, smooth, axis=1)
    response += along_y
    response *= np.float32(-(sigma_px**2))
    return response


def _kernels(sigma_px: float) -> tuple[Float64[ndarray, " k"], Float64[ndarray, " k"]]:
    """Sample a Gaussian and its second derivative.

    The latter is corrected so that it gives exactly 0 for a constant, however large,
    and exactly 2 for a parabola.
    """
    reach = int(np.ceil(_REACH * sigma_px))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    smooth = np.exp(-0.5 * (x / sigma_px) ** 2)
    smooth /= smooth.sum()
    curved = ((x / sigma_px) ** 2 - 1) * smooth
    curved -= curved.sum() * smooth
    return smooth, curved * (2 / np.sum(curved * x**2))


def detect(
    stack: Real[ndarray, "t y x"] | Real[ndarray, "y x"],
    *,
    sigmas_px: Sequence[float] = SIGMAS_PX,
    polarity: Polarity = Polarity.BRIGHT,
    threshold: float = 0.0,
    separation_px: int = _SEPARATION_PX,
) -> pd.DataFrame:
    """Find spots in each frame on its own.

    A spot is a pixel whose response (`log_response`), the largest over the scales, is
    the largest within `separation_px` along y and x, and above the threshold.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x), or one frame.
    sigmas_px
        Scales to look at; a disc of radius `r` fits the scale ``r / sqrt(2)``.
    polarity
        Whether bright spots, dark ones or both are looked for.
    threshold
        Least response, in counts; below a millionth of the largest count nothing is a
        spot.
    separation_px
        Of two spots that are no farther apart the weaker is left out.

    Returns
    -------
    pandas.DataFrame
        One row per spot: frame, y, x, sigma (the scale, in pixels), response (in
        counts; below zero for a dark spot). Sorted by frame, y, x.
    """
    frames = stack if stack.ndim == 3 else stack[None]
    signs = {Polarity.BRIGHT: (1,), Polarity.DARK: (-1,), Polarity.BOTH: (1, -1)}
    least = max(threshold, _ROUNDING * float(np.abs(frames).max()))
    tables = [
        _spots(frames, sigmas_px, sign, least, separation_px)
        for sign in signs[polarity]
    ]
    found = pd.concat(tables, ignore_index=True)
    return found.sort_values(["frame", "y", "x"], ignore_index=True)


def _spots(
    frames: ndarray,
    sigmas_px: Sequence[float],
    sign: int,
    threshold: float,
    separation_px: int,
) -> pd.DataFrame:
    """Find the spots of one polarity."""
    strongest = np.full(frames.shape, -np.inf, np.float32)
    scale = np.zeros(frames.shape, np.intp)
    for number, sigma in enumerate(sigmas_px):
        response = sign * log_response(frames, sigma)
        larger = response > strongest
        strongest[larger] = response[larger]
        scale[larger] = number
    window = (1, 2 * separation_px + 1, 2 * separation_px + 1)
    # Outside a frame nothing competes.
    around = ndimage.maximum_filter(strongest, window, mode="constant", cval=-np.inf)
    frame, y, x = np.nonzero((strongest == around) & (strongest > threshold))
    return pd.DataFrame(
        {
            "frame": frame.astype(np.int64),
            "y": y.astype(np.float64),
            "x": x.astype(np.float64),
            "sigma": np.array(sigmas_px, np.float64)[scale[frame, y, x]],
            "response": sign * strongest[frame, y, x].astype(np.float64),
        }
    )
