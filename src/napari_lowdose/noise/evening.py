"""Noise that voxels share with others: made independent, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Real
from numpy import ndarray
from scipy.fft import dct, dctn, idct, idctn

from napari_lowdose.memory import mapped

_PART_VALUES = 2_000_000
# Of the power of independent noise. Where blurred noise has less, as much as lacks is
# added: of 0.003 to 0.2, this was best on five movies, blurred in seven ways, and on
# flat ones. Below it what was measured of the power is too uncertain.
_LEAST_POWER = 0.2
_SEED = 0


@dataclass(frozen=True)
class SharedNoise:
    """How the noise of a voxel knows that of others; all is independent by default.

    Parameters
    ----------
    frames
        Its correlation with that of the next frame, at most 0.45.
    neighbours
        Its correlation with that of pixels up to two away, 1 in the middle; None where
        they are independent.
    std
        Its deviation, in counts; 0 where nothing is to be added.
    """

    frames: float = 0.0
    neighbours: Float[ndarray, "5 5"] | None = None
    std: float = 0.0

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.frames) or self.neighbours is not None

    def of_truth(self) -> SharedNoise:
        """Give what has a truth run the same course: it has no noise that may lack."""
        return replace(self, std=0.0)

    def notes(self) -> Iterator[str]:
        """Say that voxels share noise, and what is done about it."""
        most = []
        if self.neighbours is not None:
            around = np.delete(self.neighbours.ravel(), self.neighbours.size // 2)
            largest = float(around[np.abs(around).argmax()])
            most.append(("Neighbouring pixels share noise", largest))
        if self.frames:
            most.append(("Frames share noise with the next one", self.frames))
        for what, correlation in most:
            yield (
                f"{what} (a correlation of {correlation:.2g}): it is made independent "
                "before the movie is denoised, and the movie's own course given back."
            )


INDEPENDENT = SharedNoise()


def evened(
    stack: Real[ndarray, "t y x"], shared: SharedNoise, around: float
) -> Float32[ndarray, "t y x"]:
    """Make the noise of all voxels independent.

    In a cosine transform shared noise has the power that its correlations tell, for
    frames 1 + 2 r cos(omega), which is divided out. Nothing is lost but what a blur has
    taken away: there noise is added, so that what sees the stack may take it for white.

    Parameters
    ----------
    stack
        Counts.
    shared
        How it is shared.
    around
        A brightness that stays as it is: the mean of the movie.

    Returns
    -------
    ndarray
        In float32; `given_back` undoes it, but for the noise that is added.
    """
    out = mapped(stack.shape, np.float32)
    np.subtract(stack, around, out=out, casting="same_kind")
    if shared.frames:
        _weigh_in_time(out, 1 / _of_frames(len(stack), shared.frames))
    if shared.neighbours is not None:
        power = power_of_neighbours(stack.shape, shared.neighbours)
        kept = np.maximum(power, _LEAST_POWER)
        lacking = shared.std * np.sqrt(1 - np.clip(power, 0, None) / kept)
        _weigh_frames(out, 1 / np.sqrt(kept), lacking.astype(np.float32))
    out += np.float32(around)
    return out


def given_back(
    estimate: Float32[ndarray, "t y x"], shared: SharedNoise, around: float
) -> Float32[ndarray, "t y x"]:
    """Undo `evened` on what was made of it, in its own memory; parameters as there."""
    estimate -= np.float32(around)
    if shared.neighbours is not None:
        power = power_of_neighbours(estimate.shape, shared.neighbours)
        _weigh_frames(estimate, np.sqrt(np.maximum(power, _LEAST_POWER)), None)
    if shared.frames:
        _weigh_in_time(estimate, _of_frames(len(estimate), shared.frames))
    estimate += np.float32(around)
    return estimate


def power_of_neighbours(
    shape: tuple[int, ...], correlation: Float[ndarray, "5 5"]
) -> Float[ndarray, "y x"]:
    """Give the power of noise at each frequency of a frame, of which the mean is 1.

    Parameters
    ----------
    shape
        Of a stack.
    correlation
        Of the noise with that of neighbours. It is measured, and reaches two pixels:
        powers may come out less than nothing.
    """
    down, along = (
        np.cos(np.pi * np.outer(np.arange(n) / n, np.arange(size) - size // 2))
        for n, size in zip(shape[1:], correlation.shape, strict=True)
    )
    power: ndarray = down @ correlation @ along.T
    return power


def _of_frames(n_frames: int, shared: float) -> Float32[ndarray, "t 1 1"]:
    """Give the amplitude of noise at each temporal frequency."""
    cosine = np.cos(np.pi * np.arange(n_frames) / n_frames)
    amplitude: ndarray = np.sqrt(1 + 2 * shared * cosine).astype(np.float32)
    return amplitude[:, None, None]


def _weigh_frames(
    values: Float32[ndarray, "t y x"],
    weights: Float[ndarray, "y x"],
    lacking: Float32[ndarray, "y x"] | None,
) -> None:
    """Weigh the frequencies of frames, in place, and add the noise that lacks."""
    rng, weights = np.random.default_rng(_SEED), weights.astype(np.float32)
    where = None if lacking is None else lacking > 0
    for frame in values:
        part = dctn(frame, norm="ortho", workers=-1)
        part *= weights
        if lacking is not None and where is not None:
            some = lacking[where]
            part[where] += some * rng.standard_normal(some.size, dtype=np.float32)
        frame[:] = idctn(part, norm="ortho", workers=-1, overwrite_x=True)


def _weigh_in_time(
    values: Float32[ndarray, "t y x"], weights: Float32[ndarray, "t 1 1"]
) -> None:
    """Weigh temporal frequencies, in place and row by row: copies would be the peak."""
    n_rows = max(1, _PART_VALUES // (len(values) * values.shape[2]))
    for row in range(0, values.shape[1], n_rows):
        part = dct(values[:, row : row + n_rows], axis=0, norm="ortho", workers=-1)
        part *= weights
        values[:, row : row + n_rows] = idct(
            part, axis=0, norm="ortho", workers=-1, overwrite_x=True
        )
