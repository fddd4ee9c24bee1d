"""Following small places of a movie from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from jaxtyping import Float32, Int, Int8, Real
from numpy import ndarray

_REACH_PX = 7
_BLOCK_PX = 11
# Noise is smoothed before: the median of a few counts would be a whole number.
_SMOOTH_PX = 1.5
# Deviations by which a block must match better elsewhere: the best of 225 in pure noise
# does by 5, and where things flicker or fade by more.
_SIGMAS = 10.0


@dataclass(frozen=True)
class Motion:
    """Where each pixel's surroundings are in the next frame and in the one before.

    Parameters
    ----------
    forward, backward
        Whole pixels along y and x from a frame to the next, and to the one before;
        (frame, row, column, axis). The last frame has no next, the first none before:
        zeros.
    """

    forward: Int8[ndarray, "t y x 2"]
    backward: Int8[ndarray, "t y x 2"]

    def followed(
        self,
        corners: Int[ndarray, "n 2"],
        frame: int,
        frames: range,
        size: tuple[int, int],
    ) -> Int[ndarray, "n w 2"]:
        """Follow patches step by step.

        Parameters
        ----------
        corners
            Their lowest rows and columns in `frame`.
        frame, frames
            Where they start, and where they are looked for.
        size
            Their height and width: they stay inside the frames.
        """
        there = np.empty((len(corners), len(frames), 2), np.int64)
        for field, way in (
            (self.forward, range(frame, frames.stop)),
            (self.backward, range(frame, frames.start - 1, -1)),
        ):
            here = corners
            for at in way:
                there[:, at - frames.start] = here
                here = self._stepped(field[at], here, size)
        return there

    def _stepped(
        self,
        field: Int8[ndarray, "y x 2"],
        here: Int[ndarray, "n 2"],
        size: tuple[int, int],
    ) -> Int[ndarray, "n 2"]:
        """Move patches as their middle pixels move."""
        middle = here + np.floor_divide(size, 2)
        there = here + field[middle[:, 0], middle[:, 1]]
        most = np.subtract(field.shape[:2], size)
        inside: ndarray = np.clip(there, 0, most)
        return inside


def followed_motion(values: Real[ndarray, "t y x"]) -> Motion | None:
    """Find out where the surroundings of each pixel are in the frames beside.

    Blocks of 11 x 11 px are looked for up to 7 px away, by their mean squared
    difference after smoothing. Where no place is certainly better, nothing is taken to
    move.

    Parameters
    ----------
    values
        Movie with noise of unit deviation.

    Returns
    -------
    Motion or None
        None where nothing moves.

    References
    ----------
    Y. Nie and K.-K. Ma, IEEE Trans. Image Process. 11, 1442 (2002), find the least
    difference in fewer steps; here all are looked at.
    """
    smooth = [
        cv2.GaussianBlur(frame.astype(np.float32), (0, 0), _SMOOTH_PX)
        for frame in values
    ]
    forward = np.zeros((*values.shape, 2), np.int8)
    backward = np.zeros_like(forward)
    for first in range(len(smooth) - 1):
        forward[first] = _shifts(smooth[first], smooth[first + 1])
        backward[first + 1] = _shifts(smooth[first + 1], smooth[first])
    if not forward.any() and not backward.any():
        return None
    return Motion(forward, backward)


def _shifts(
    here: Float32[ndarray, "y x"], there: Float32[ndarray, "y x"]
) -> Int8[ndarray, "y x 2"]:
    """Find for each pixel how far its surroundings have gone."""
    least = _difference(here, there)
    # What else is as near must be better by more than chance.
    least -= np.float32(_SIGMAS * _difference_std())
    found = np.zeros((*here.shape, 2), np.int8)
    padded = np.pad(there, _REACH_PX, mode="edge")
    height, width = here.shape
    for row, column in _near():
        y, x = row + _REACH_PX, column + _REACH_PX
        difference = _difference(here, padded[y : y + height, x : x + width])
        better = difference < least
        np.copyto(least, difference, where=better)
        found[better] = row, column
    return found


def _near() -> Iterator[tuple[int, int]]:
    """List the shifts, the nearest first."""
    reach = range(-_REACH_PX, _REACH_PX + 1)
    shifts = sorted(product(reach, reach), key=lambda shift: np.hypot(*shift))
    yield from shifts[1:]


def _difference(
    here: Float32[ndarray, "y x"], there: Float32[ndarray, "y x"]
) -> Float32[ndarray, "y x"]:
    """Average the squared difference over blocks."""
    squares = cv2.subtract(here, there)
    np.square(squares, out=squares)
    means: ndarray = cv2.blur(squares, (_BLOCK_PX, _BLOCK_PX))
    return means


def _difference_std() -> float:
    """Give the deviation of `_difference` where there is only noise.

    The smoothed noise of two frames has the variance 2 / (4 pi s^2); its squares are
    alike over an area of 2 pi s^2.
    """
    area = np.pi * _SMOOTH_PX**2
    variance = 2 / (4 * area)
    return float(variance * np.sqrt(2 * 2 * area / _BLOCK_PX**2))
