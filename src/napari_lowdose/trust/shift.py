"""By how much an estimate lies beside the movie that it was made of."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int, Real
from numpy import ndarray
from scipy import fft

CERTAIN = 6.0  # standard errors of a correlation; a hundred thousand are compared
_FARTHEST = 0.25  # shift that is looked for, of each extent
_GROUND_PX = 8.0  # what is wider is lighting, the same after any shift
_CLIP = 6.0  # standard deviations, so that a hot pixel is no landmark
_ROUNDS = 4
_TOLD = 3.0  # standard errors of a correlation, along one axis
_EXACT = 1e-6  # of a correlation, in single precision


@dataclass(frozen=True)
class Shift:
    """How an estimate would have to be moved to lie on the movie it was made of.

    Parameters
    ----------
    frames, rows, columns
        Whole steps; all zero where it lies as well as can be told.
    certainty
        How much better it lies after the move, in standard errors; 0 without one.
    alike
        Correlation of both at the best place, in standard errors of none.
    expected
        The same if the estimate is in the movie's counts and belongs to it.
    """

    frames: int
    rows: int
    columns: int
    certainty: float
    alike: float
    expected: float

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.frames or self.rows or self.columns)


def shift_between(
    noisy: Real[ndarray, "t y x"], estimate: Real[ndarray, "t y x"]
) -> Shift:
    """Find the whole steps by which an estimate lies beside its movie.

    Both are freed of what is wider than 8 pixels and correlated at all shifts up to a
    quarter of the extents, in space and time together. A shift is told where it
    correlates better than none by 6 standard errors. These come from the spectrum of
    what the estimate does not explain, so that correlated noise counts as what it is.
    A still scene tells nothing of a shift in time but by the traces of its noise in the
    estimate, and then none is told; a crystal tells a shift up to a period.

    Parameters
    ----------
    noisy, estimate
        Counts of shape (t, y, x).
    """
    raw, seen = _details(noisy), _details(estimate)
    if not seen.any():
        return Shift(0, 0, 0, 0.0, 0.0, 0.0)
    rim = np.outer(*(_faded(n) for n in noisy.shape[1:]))
    of_seen = fft.rfftn(rim * seen)
    alike = _correlation(fft.rfftn(rim * raw) * of_seen.conj(), noisy.shape)
    none = np.array([int(n * _FARTHEST) for n in noisy.shape])
    best = np.array(np.unravel_index(int(np.argmax(alike)), alike.shape))
    power = _energy(of_seen)
    unexplained = _energy(fft.rfftn(rim * _unexplained(raw, seen, best - none)))
    error = _correlation(power * unexplained, noisy.shape) / noisy.size
    least = max(_EXACT * float(alike.max()), 1e-30)

    def better(place: ndarray) -> float:
        """Compare the best shift with another, in standard errors."""
        variance = 2 * float(error[*none] - error[*(none + best - place)])
        gained = float(alike[*best] - alike[*place])
        return gained / max(float(np.sqrt(max(variance, 0.0))), least)

    # Along an axis on which a still or even scene tells nothing, there is no shift.
    place = best.copy()
    for axis in range(3):
        other = place.copy()
        other[axis] = none[axis]
        if better(other) < _TOLD:
            place = other
    certainty = better(none)
    found = certainty > CERTAIN
    frames, rows, columns = (place - none if found else 0 * none).tolist()
    single = max(float(np.sqrt(max(error[*none], 0.0))), least)
    return Shift(
        frames,
        rows,
        columns,
        certainty=certainty if found else 0.0,
        alike=float(alike[*best]) / single,
        expected=float(_correlation(power, noisy.shape)[*none]) / single,
    )


def _unexplained(
    raw: Float32[ndarray, "t y x"],
    seen: Float32[ndarray, "t y x"],
    moved: Int[ndarray, "3"],
) -> Float32[ndarray, "t y x"]:
    """Take off the estimate, moved and scaled to fit the movie best."""
    fitting = np.roll(seen, moved, (0, 1, 2))
    share = np.vdot(raw, fitting) / np.vdot(fitting, fitting)
    left: ndarray = raw - share * fitting
    return left


def _details(stack: Real[ndarray, "t y x"]) -> Float32[ndarray, "t y x"]:
    """Clip what stands out of all, and take off what is wide."""
    fine = stack.astype(np.float32)
    for _ in range(_ROUNDS):  # what stands out has its part in mean and deviation
        fine -= np.float32(fine.mean(dtype=np.float64))
        limit = _CLIP * float(fine.std(dtype=np.float64))
        np.clip(fine, -limit, limit, out=fine)
    for frame in fine:
        frame -= cv2.GaussianBlur(
            frame, (0, 0), _GROUND_PX, borderType=cv2.BORDER_REFLECT
        )
    return fine


def _faded(n: int) -> ndarray:
    """Rise from the ends, where lighting is not smoothed away."""
    from_end = np.minimum(np.arange(n), np.arange(n)[::-1]) + 1.0
    risen: ndarray = np.minimum(from_end / _GROUND_PX, 1).astype(np.float32)
    return risen


def _energy(spectrum: ndarray) -> Float32[ndarray, "t y f"]:
    energy: ndarray = spectrum.real**2 + spectrum.imag**2
    return energy


def _correlation(spectrum: ndarray, shape: tuple[int, ...]) -> Float[ndarray, "t y x"]:
    """Keep shifts up to a quarter of the extents, no shift in the middle."""
    correlation: ndarray = fft.irfftn(spectrum, shape)
    for axis, n in enumerate(shape):
        far = int(n * _FARTHEST)
        correlation = correlation.take(np.arange(-far, far + 1), axis)
    return correlation
