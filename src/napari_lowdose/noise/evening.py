"""Noise that frames share with the next one: told, made independent, and given back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray
from scipy.fft import dct, idct

from napari_lowdose.memory import mapped
from napari_lowdose.noise.correlation import shared_with_next
from napari_lowdose.noise.units_reading import sample_of

_MOST_SHARED = 0.45  # at a half, the highest temporal frequency would have no noise
_PART_VALUES = 2_000_000


def shared_by_frames(stack: Real[ndarray, "t y x"]) -> float:
    """Correlate the noise of frames with that of the next one, as far as it is certain.

    Parameters
    ----------
    stack
        Counts; some of them are looked at.

    Returns
    -------
    float
        The correlation, at most 0.45; 0 where frames are independent.
    """
    return min(shared_with_next(sample_of(stack)), _MOST_SHARED)


def evened(
    stack: Real[ndarray, "t y x"], shared: float, around: float
) -> Float[ndarray, "t y x"]:
    """Make the noise of frames independent.

    In its cosine transform over time noise that frames share with the next one alone
    has a power of 1 + 2 r cos(omega), which is divided out; nothing is lost.

    Parameters
    ----------
    stack
        Counts.
    shared
        The correlation r.
    around
        A brightness that stays as it is: the mean of the movie.

    Returns
    -------
    ndarray
        In float32; `given_back` undoes it.
    """
    out = mapped(stack.shape, np.float32)
    np.subtract(stack, around, out=out, casting="same_kind")
    _weigh(out, 1 / _amplitudes(len(stack), shared))
    out += np.float32(around)
    return out


def given_back(
    estimate: Float[ndarray, "t y x"], shared: float, around: float
) -> Float[ndarray, "t y x"]:
    """Undo `evened` on what was made of it, in its own memory; parameters as there."""
    estimate -= np.float32(around)
    _weigh(estimate, _amplitudes(len(estimate), shared))
    estimate += np.float32(around)
    return estimate


def evening_notes(shared: float) -> Iterator[str]:
    """Say that frames share noise, and what is done about it."""
    if shared:
        yield (
            f"Frames share noise with the next one (a correlation of {shared:.2g}): it "
            "is made independent before the movie is denoised, and the movie's own "
            "course given back."
        )


def _amplitudes(n_frames: int, shared: float) -> Float[ndarray, "t 1 1"]:
    cosine = np.cos(np.pi * np.arange(n_frames) / n_frames)
    return np.sqrt(1 + 2 * shared * cosine).astype(np.float32)[:, None, None]


def _weigh(values: Float[ndarray, "t y x"], weights: Float[ndarray, "t 1 1"]) -> None:
    """Weigh temporal frequencies, in place and row by row: copies would be the peak."""
    n_rows = max(1, _PART_VALUES // (len(values) * values.shape[2]))
    for row in range(0, values.shape[1], n_rows):
        part = dct(values[:, row : row + n_rows], axis=0, norm="ortho", workers=-1)
        part *= weights
        values[:, row : row + n_rows] = idct(
            part, axis=0, norm="ortho", workers=-1, overwrite_x=True
        )
