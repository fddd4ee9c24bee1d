"""Shrinking wavelets in space and time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from jaxtyping import Float, Float32, Real
from numpy import ndarray
from skimage.restoration import denoise_wavelet

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.unit_noise import UnitNoise
from napari_lowdose.classical.usual_range import usual_range

# Blocks of Haar wavelets show, unless results for some shifts are averaged.
_SHIFTS_PX = (0, 1)
_MOST_LEVELS = 4


def denoise_wavelets(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Shrink the wavelets of a movie, in each band by what noise there is in it.

    The softer the more signal a band holds: the threshold is the noise's variance over
    the signal's deviation.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``strength``: by how much the noise is taken to be larger than it is found to
        be.

    References
    ----------
    S. G. Chang, B. Yu and M. Vetterli, IEEE Trans. Image Process. 9, 1532 (2000); the
    mean over shifts is that of R. R. Coifman and D. L. Donoho (1995).
    """
    scale = UnitNoise.of(stack)
    movie = scale.forward(stack)
    signal = np.squeeze(np.clip(movie, *usual_range(movie), out=movie))
    total = np.zeros_like(signal)
    shifts = list(product(_SHIFTS_PX, repeat=signal.ndim))
    for shift in shifts:
        total += _shrunk(signal, shift, settings["strength"])
    total /= np.float32(len(shifts))
    return scale.inverse(total.reshape(stack.shape))


def _shrunk(
    signal: Float32[ndarray, "..."], shift: tuple[int, ...], strength: float
) -> Float32[ndarray, "..."]:
    """Shrink the wavelets of a signal that is moved by some pixels."""
    levels = min(_MOST_LEVELS, *(int(np.log2(size)) for size in signal.shape), 99)
    if not signal.ndim or not levels:
        return signal
    # Mirrored at the start and not rolled: the last frame is not like the first.
    moved = np.pad(signal, [(n, 0) for n in shift], mode="symmetric")
    smooth = denoise_wavelet(
        moved, sigma=strength, wavelet="haar", mode="soft", wavelet_levels=levels
    )
    part: ndarray = smooth[tuple(slice(n, None) for n in shift)]
    return part


WAVELET = Baseline(
    denoise=denoise_wavelets,
    settings={
        "strength": Setting(
            coarse=(1.0, 2.0, 4.0),
            lowest=0.25,
            highest=16.0,
            sentence="By how much the noise is taken to be larger than it is found.",
        )
    },
    summary="Shrink each band of the movie's wavelets by the noise in it.",
    temporal=True,
    even_noise=True,
    bytes_per_voxel=40,
)
