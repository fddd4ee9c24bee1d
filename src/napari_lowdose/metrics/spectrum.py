"""Fourier transforms of frames, and their rings of one spatial frequency."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Complex64, Float32, Int, Real
from numpy import ndarray
from scipy import fft

_THREADS = 2
# The squared Hann window makes neighbours along a ring alike: each Fourier pixel tells
# as much as 1 / (1 + 2 (2 / 3)^2 + 2 (1 / 6)^2) independent ones.
HANN_SHARE = 1 / (1 + 2 * (2 / 3) ** 2 + 2 * (1 / 6) ** 2)


def spectrum(frame: Real[ndarray, "y x"]) -> Complex64[ndarray, "y k"]:
    """Transform a frame without its mean, faded out to the rim by a Hann window."""
    rest = frame.astype(np.float32) - np.float32(frame.mean(dtype=np.float64))
    rest *= _window(frame.shape[0])[:, None]
    rest *= _window(frame.shape[1])
    transformed: ndarray = fft.rfft2(rest, workers=_THREADS)
    return transformed


def _window(n: int) -> Float32[ndarray, " n"]:
    ramp = 2 * np.pi * (np.arange(n) + 0.5) / n
    return ((1 - np.cos(ramp)) / 2).astype(np.float32)


@lru_cache(maxsize=2)
def frequencies(height: int, width: int) -> Float32[ndarray, "y k"]:
    """Give the spatial frequency of each Fourier pixel, in cycles per pixel."""
    along_y = fft.fftfreq(height).astype(np.float32)[:, None]
    return np.hypot(along_y, fft.rfftfreq(width).astype(np.float32))


@lru_cache(maxsize=2)
def weights(width: int) -> Float32[ndarray, " k"]:
    """Count each Fourier pixel as often as the full transform has it."""
    counts = np.full(width // 2 + 1, 2, np.float32)
    counts[0] = 1
    if width % 2 == 0:
        counts[-1] = 1
    return counts


@lru_cache(maxsize=2)
def rings(height: int, width: int) -> Int[ndarray, " pixel"]:
    """Tell each Fourier pixel its ring, one cycle per shorter edge wide.

    What lies beyond 0.5 cycles per pixel is in one last ring.
    """
    n = n_rings(height, width)
    number = np.rint(frequencies(height, width) * np.float32(2 * n)).astype(np.intp)
    return np.minimum(number, n + 1).ravel()


def n_rings(height: int, width: int) -> int:
    """Count the rings from one cycle per frame to 0.5 cycles per pixel."""
    return min(height, width) // 2


def ring_sums(values: Real[ndarray, "y k"], width: int) -> ndarray:
    """Add up over the rings, the one of the mean and the corners left out."""
    height = len(values)
    sums = np.bincount(rings(height, width), (values * weights(width)).ravel())
    return sums[1 : n_rings(height, width) + 1]
