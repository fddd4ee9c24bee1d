"""Finding spots: maxima of a Laplacian of Gaussian over a few scales."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Real, UInt8
from numpy import ndarray

from napari_lowdose.config import Polarity

SIGMAS_PX = (1.0, 1.6, 2.5, 4.0)
N_STD = 5.0
_SEPARATION_PX = 4
_REACH = 4.0  # of the kernels, in standard deviations
# Of the largest count: what rounding alone may leave of a flat frame.
_ROUNDING = 1e-6
_SIGNS = {Polarity.BRIGHT: (1,), Polarity.DARK: (-1,), Polarity.BOTH: (1, -1)}
# The median of as many voxels is known to a thousandth.
_ENOUGH_VOXELS = 2_000_000
_STD_PER_MAD = 1.4826  # of normal values
_LEAST_NOISE = 1e-12  # counts

Kernels = tuple[Float64[ndarray, " _"], Float64[ndarray, " _"]]  # along the two axes


def log_response(
    stack: Real[ndarray, "t y x"], sigma_px: float
) -> Float32[ndarray, "t y x"]:
    """Filter each frame so that bright spots of one size stand out.

    The filter is ``-s^2 laplace(G_s * f)`` with the Gaussian `G_s`, normalised by the
    scale `s`. At the centre of a Gaussian spot of height `a` and its own deviation `s`
    the response is ``a / 2``; a disc of radius ``s sqrt(2)`` gives ``0.74 a``. That to
    white noise has the deviation `response_std`.

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
    kernels = _kernels(sigma_px)
    response = np.empty(stack.shape, np.float32)
    for frame, filtered in zip(stack, response, strict=True):
        filtered[:] = _filtered(_levelled(frame), *kernels)
    return response


def response_std(noise_std: float, sigma_px: float) -> float:
    """Give the deviation of the response to white noise.

    Parameters
    ----------
    noise_std
        Of the noise, per pixel, in counts.
    sigma_px
        The scale, in pixels.

    References
    ----------
    ``noise_std / (s sqrt(2 pi))``: notes on algorithms, section 26.5.
    """
    return noise_std / (sigma_px * float(np.sqrt(2 * np.pi)))


def response_noise(
    stack: Real[ndarray, "t y x"], sigmas_px: Sequence[float] = SIGMAS_PX
) -> Float64[ndarray, " s"]:
    """Measure the deviation of the response where there are no spots.

    A denoiser leaves fluctuations that are anything but white. They are measured on the
    estimate itself, by the median of the response's magnitude, of which particles make
    little as long as most of the area is free of them.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    sigmas_px
        Scales, in pixels.

    Returns
    -------
    Float64[ndarray, " s"]
        One deviation per scale, in counts; 1.48 times the median.
    """
    step = max(stack.size // _ENOUGH_VOXELS, 1)
    some = stack[::step] if len(stack) > step else stack[:1]
    middle = [np.median(np.abs(log_response(some, sigma))) for sigma in sigmas_px]
    return _STD_PER_MAD * np.array(middle, np.float64)


def _levelled(frame: Real[ndarray, "y x"]) -> Float32[ndarray, "y x"]:
    """Take the mean away, of which single precision would leave some."""
    level = frame.mean(dtype=np.float64)
    return (frame.astype(np.float32) - np.float32(level)).astype(np.float32)


def _filtered(
    frame: Float32[ndarray, "y x"],
    smooth: Float64[ndarray, " k"],
    curved: Float64[ndarray, " k"],
) -> Float32[ndarray, "y x"]:
    """Curve a frame along both axes."""
    along_x, along_y = (
        cv2.sepFilter2D(frame, cv2.CV_32F, x, y, borderType=cv2.BORDER_REFLECT)
        for x, y in ((curved, smooth), (smooth, curved))
    )
    response: ndarray = cv2.add(along_x, along_y, dst=along_x)
    return response


def _kernels(sigma_px: float) -> Kernels:
    """Sample a Gaussian and ``-s^2`` times its second derivative.

    The latter is corrected so that it gives exactly 0 for a constant, and exactly
    ``-2 s^2`` for a parabola.
    """
    reach = int(np.ceil(_REACH * sigma_px))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    smooth = np.exp(-0.5 * (x / sigma_px) ** 2)
    smooth /= smooth.sum()
    curved = ((x / sigma_px) ** 2 - 1) * smooth
    curved -= curved.sum() * smooth
    return smooth, curved * (-2 * sigma_px**2 / np.sum(curved * x**2))


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
    least = np.full(len(sigmas_px), threshold, np.float64)
    return _detect(stack, sigmas_px, polarity, least, separation_px)


def detect_above(
    stack: Real[ndarray, "t y x"] | Real[ndarray, "y x"],
    n_std: float = N_STD,
    *,
    noise_std: float | None = None,
    sigmas_px: Sequence[float] = SIGMAS_PX,
    polarity: Polarity = Polarity.BRIGHT,
    separation_px: int = _SEPARATION_PX,
) -> pd.DataFrame:
    """Find the spots that stand out of the noise.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x), or one frame.
    n_std
        Least response, in deviations of what noise makes at the spot's scale.
    noise_std
        Of white noise in the stack, per pixel, in counts (`response_std`). None: as the
        stack itself shows it (`response_noise`), which serves for estimates.
    sigmas_px, polarity, separation_px
        As in `detect`.

    Returns
    -------
    pandas.DataFrame
        As `detect` gives it, with the column n_std: the strength of the response in
        these deviations.
    """
    frames = stack if stack.ndim == 3 else stack[None]
    if noise_std is None:
        noise = response_noise(frames, sigmas_px)
    else:
        noise = np.array([response_std(noise_std, sigma) for sigma in sigmas_px])
    found = _detect(frames, sigmas_px, polarity, n_std * noise, separation_px)
    of_scale = dict(zip(sigmas_px, np.maximum(noise, _LEAST_NOISE), strict=True))
    strength = found["response"].abs() / found["sigma"].map(of_scale)
    return found.assign(n_std=strength.astype(np.float64))


def signs_of(polarity: Polarity) -> tuple[int, ...]:
    """Give 1 for bright spots, -1 for dark ones.

    Raises
    ------
    ValueError
        If it is not settled yet which are looked for.
    """
    if polarity not in _SIGNS:
        raise ValueError(
            f"expected bright, dark or both, got {polarity}; ask `prevailing` which "
            "stand out"
        )
    return _SIGNS[polarity]


def _detect(
    stack: Real[ndarray, "t y x"] | Real[ndarray, "y x"],
    sigmas_px: Sequence[float],
    polarity: Polarity,
    least: Float64[ndarray, " s"],
    separation_px: int,
) -> pd.DataFrame:
    """Find the spots whose response is above the least one of their scale."""
    frames = stack if stack.ndim == 3 else stack[None]
    least = np.maximum(least, _ROUNDING * float(np.abs(frames).max(initial=0)))
    kernels = [_kernels(sigma) for sigma in sigmas_px]
    window = np.ones((2 * separation_px + 1,) * 2, np.uint8)
    found = [
        np.stack([np.full(spots.shape[1], number), *spots])
        for number, frame in enumerate(frames)
        for spots in _spots(frame, kernels, signs_of(polarity), least, window)
    ]
    frame, y, x, scale, response = np.concatenate([np.empty((5, 0)), *found], axis=1)
    order = np.lexsort((x, y, frame))
    sigma = np.array(sigmas_px, np.float64)[scale.astype(np.int64)]
    return pd.DataFrame(
        {
            "frame": frame[order].astype(np.int64),
            "y": y[order],
            "x": x[order],
            "sigma": sigma[order],
            "response": response[order],
        }
    )


def _spots(
    frame: Real[ndarray, "y x"],
    kernels: Sequence[Kernels],
    signs: Sequence[int],
    least: Float64[ndarray, " s"],
    window: UInt8[ndarray, "w w"],
) -> Iterator[Float64[ndarray, "4 n"]]:
    """Find row, column, number of the scale and response, for each sign."""
    level = _levelled(frame)
    responses = np.stack([_filtered(level, *kernel) for kernel in kernels])
    for sign in signs:
        signed = sign * responses
        strongest = signed.max(axis=0)
        # Outside a frame nothing competes.
        y, x = np.nonzero(strongest == cv2.dilate(strongest, window))
        scale = signed[:, y, x].argmax(axis=0)
        height = strongest[y, x]
        kept = height > least[scale]
        values = (y[kept], x[kept], scale[kept], sign * height[kept])
        yield np.stack(values).astype(np.float64)
