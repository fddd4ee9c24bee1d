"""Noise that all pixels of a row or of a column share, and stacks without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float64, Real
from numpy import ndarray
from scipy.fft import dctn, idctn
from scipy.special import chdtri

from napari_lowdose.memory import mapped

# Beyond this frequency along a row or column, in parts of the highest one, and in the
# quieter half of those in time, noise prevails.
_HIGH = 0.75
_HALVES = 2
_REFERENCES = 8  # means with signs, that tell the noise which pixels have on their own
# Of the square of a normal number: its median, and the deviation of a median of n
# such squares, in parts of it, times the root of n.
_MEDIAN, _MEDIAN_STD = 0.4549, 2.33
_SIGMAS = 6.0
_FEWEST, _FEWEST_PX = 32, 4  # such squares, and pixels of a line
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
    in all frames is left, and so is a single frame: it might be the specimen.

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

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    found
        As `find_line_noise` gives it.

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


def _shared_along(stack: Real[ndarray, "t y x"], axis: int) -> Lines | None:
    """Find what all pixels along an axis share in single frames."""
    n_pixels, n_lines = stack.shape[axis], stack.shape[3 - axis]
    if len(stack) < _HALVES or n_pixels < _FEWEST_PX or not n_lines:
        return None
    means = _means(stack, axis)
    unit = float(np.abs(means).max())  # squares stay what a float can hold
    if not 0 < unit < np.inf:
        return None
    spectrum, *others = dctn(means / unit, axes=(1, 2), norm="ortho")
    level, count = _noise_power(spectrum)
    own = float(np.mean([_noise_power(other)[0] for other in others]))
    if count < _FEWEST or not level > own * (
        1 + _SIGMAS * _MEDIAN_STD / np.sqrt(count)
    ):
        return None
    # Means over n pixels vary by an n-th of what the pixels do.
    std = np.sqrt((level - own) / (n_pixels * own)) if own > 0 else np.inf
    if not _LEAST_STD < std < np.inf:
        return None
    spectrum *= (1 - own / level) * _noise_share(spectrum, level)
    spectrum[:, 0] = 0  # a brighter frame may be a brighter specimen
    values = unit * idctn(spectrum, norm="ortho")
    return Lines(values.astype(np.float32), float(std))


def _means(stack: Real[ndarray, "t y x"], axis: int) -> Float64[ndarray, "k t n"]:
    """Take means along an axis, and others with signs that cancel what is shared.

    Of noise that pixels have on their own there is as much in all of them.
    """
    n = stack.shape[axis]
    signs = np.ones((n, 1 + _REFERENCES))
    signs[: n // 2, 1:] = -1
    rng = np.random.default_rng(0)  # any signs do, if they do not repeat themselves
    signs[:, 1:] = rng.permuted(signs[:, 1:], axis=0)
    means = np.empty((1 + _REFERENCES, len(stack), stack.shape[3 - axis]))
    with np.errstate(invalid="ignore", over="ignore"):  # others refuse such values
        for number, frame in enumerate(stack):
            along = frame.astype(np.float64)
            means[:, number] = ((along if axis == 2 else along.T) @ signs).T / n
    return means


def _noise_power(spectrum: Float64[ndarray, "t n"]) -> tuple[float, int]:
    """Give the power where noise prevails, and from how many values it is known."""
    high = np.square(spectrum[:, int(_HIGH * spectrum.shape[1]) :])
    halves = np.array_split(high, _HALVES)
    # A median: of fringes few values tell.
    return min(float(np.median(h)) for h in halves) / _MEDIAN, halves[-1].size


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
