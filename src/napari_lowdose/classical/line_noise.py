"""Noise that all pixels of a row or of a column share, and stacks without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray
from scipy.fft import dctn, idctn
from scipy.special import chdtri

from napari_lowdose.memory import mapped

# Beyond this frequency along a row or column, in parts of the highest one, and in the
# quieter half of those in time, noise prevails.
_HIGH = 0.75
_HALVES = 2
_SINGLE = 32  # rows or columns of single pixels that tell the noise of pixels
# Of the square of a normal number: its median, and the deviation of a median of n
# such squares, in parts of it, times the root of n.
_MEDIAN, _MEDIAN_STD = 0.4549, 2.33
_SIGMAS = 6.0
_LEAST_STD = 0.03  # of what is worth taking off, in parts of the noise of pixels
_NEAR = 3  # frequencies around each one, along each axis
_CHANCE = 1e-4  # that noise alone has so much power around a frequency

_ACROSS = {"rows": 2, "columns": 1}  # axes along which the noise is the same


@dataclass(frozen=True)
class Lines:
    """Noise that all pixels of a row, or of a column, share in a frame.

    Parameters
    ----------
    values
        Counts of each row or column, around zero, of shape (t, n).
    std
        Their deviation, in parts of that of the single pixels' own noise.
    """

    values: Float[ndarray, "t n"]
    std: float


def find_line_noise(stack: Real[ndarray, "t y x"]) -> dict[str, Lines]:
    """Find the noise that all pixels of a row, or of a column, share.

    The mean of a row of `n` pixels has an `n`-th of their variance, unless they share
    noise. What of that varies from frame to frame and from row to row like noise is
    told from the scene by its spectrum, as the Wiener filter does. What stays the same
    in all frames is left: it might be the specimen.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).

    Returns
    -------
    dict
        By "rows" and "columns"; what is not there for certain is left out.
    """
    found = {name: _shared_along(stack, axis) for name, axis in _ACROSS.items()}
    return {name: lines for name, lines in found.items() if lines is not None}


def taken_off(
    stack: Real[ndarray, "t y x"], found: Mapping[str, Lines]
) -> Real[ndarray, "t y x"]:
    """Take the noise that was found off a stack.

    Returns
    -------
    ndarray
        The stack itself where nothing was found; else float32 counts.
    """
    if not found:
        return stack
    clean = mapped(stack.shape, np.float32)
    clean[:] = stack
    for name, lines in found.items():
        clean -= np.expand_dims(lines.values, _ACROSS[name])
    return clean


def line_notes(found: Mapping[str, Lines]) -> Iterator[str]:
    """Say what is taken off before a stack is denoised."""
    for name, lines in found.items():
        yield (
            f"The {name} of each frame share noise, {lines.std:.2g} times as strong as "
            "that of single pixels: it is taken off before denoising."
        )


def _single(stack: Real[ndarray, "t y x"], axis: int) -> Float[ndarray, "k t n"]:
    """Give some lines of single pixels, as others are that are means along an axis."""
    last = stack.shape[axis] - 1
    chosen = np.unique(np.linspace(0, last, min(_SINGLE, last + 1)).astype(int))
    lines: ndarray = np.moveaxis(stack.take(chosen, axis), axis, 0).astype(np.float64)
    return lines


def _noise_power(spectra: Float[ndarray, "k t n"]) -> tuple[float, int]:
    """Give the power of noise in spectra, and from how many values it is known."""
    high = np.square(spectra[:, :, int(_HIGH * spectra.shape[2]) :])
    bands = np.array_split(high, min(_HALVES, high.shape[1]), axis=1)
    powers = [np.median(band, axis=(1, 2)).mean() / _MEDIAN for band in bands]
    return float(min(powers)), bands[-1][0].size


def _shared_along(stack: Real[ndarray, "t y x"], axis: int) -> Lines | None:
    """Find what all pixels along an axis share in single frames."""
    n_pixels, n_lines = stack.shape[axis], stack.shape[3 - axis]
    if min(n_pixels, n_lines) < 1 / (1 - _HIGH):
        return None
    lines = _single(stack, axis)
    unit = float(np.abs(lines).max())  # squares stay what a float can hold
    if not 0 < unit < np.inf:
        return None
    single, count = _noise_power(dctn(lines / unit, axes=(1, 2), norm="ortho"))
    spectrum = dctn(stack.mean(axis, dtype=np.float64) / unit, norm="ortho")
    level, _ = _noise_power(spectrum[None])
    ratio = level * n_pixels / single if single > 0 else 0.0
    if not 1 + _SIGMAS * _MEDIAN_STD / np.sqrt(count) < ratio < n_pixels:
        return None
    # Pixels vary by v + s, their mean over n by v / n + s.
    variance = (ratio - 1) / (n_pixels - ratio)
    if variance < _LEAST_STD**2:
        return None
    share = n_pixels * variance / (1 + n_pixels * variance)
    spectrum *= share * _noise_share(spectrum, level)
    spectrum[:, 0] = 0  # a brighter frame may be a brighter specimen
    values = unit * idctn(spectrum, norm="ortho")
    return Lines(values.astype(np.float32), float(np.sqrt(variance)))


def _noise_share(
    spectrum: Float[ndarray, "t n"], level: float
) -> Float[ndarray, "t n"]:
    """Tell which share of each frequency's power is noise of a level."""
    edges = [min(_NEAR, n) for n in spectrum.shape]
    near = cv2.blur(np.square(spectrum), edges[::-1])
    count = edges[0] * edges[1]
    certain = near > level * chdtri(count, _CHANCE) / count
    share: ndarray = np.where(certain, level / np.maximum(near, level), 1.0)
    return share
