"""Bands of temporal frequencies and of those across the frame; low ones are narrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from numpy import ndarray


@dataclass(frozen=True)
class Bands:
    """The band of each frequency of a stack's cosine transform.

    Parameters
    ----------
    along
        Which of the bands along time, frame by frame of the transform.
    across
        Which of those across the frame.
    number
        How many there are of either, some of which may be empty.
    """

    along: Int[ndarray, " t"]
    across: Int[ndarray, "y x"]
    number: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, ...], number: tuple[int, int]) -> Bands:
        """Divide the frequencies of a stack; there are at most as many along as frames.

        Parameters
        ----------
        shape
            Of the stack.
        number
            Of bands along time, and across the frame.
        """
        n_frames, height, width = shape
        along = min(number[0], n_frames) * np.sqrt(np.arange(n_frames) / n_frames)
        across = number[1] * np.sqrt(radius(height, width) / 2**0.5)
        return cls(along.astype(np.intp), across.astype(np.intp), number)

    def counts(self) -> Float64[ndarray, "m n"]:
        """Count the frequencies of each band."""
        frames = np.bincount(self.along, minlength=self.number[0])
        per_frame = np.bincount(self.across.ravel(), minlength=self.number[1])
        return np.outer(frames, per_frame).astype(float)

    def products(
        self, one: Float[ndarray, "t y x"], other: Float[ndarray, "t y x"]
    ) -> Float64[ndarray, "m n"]:
        """Sum the products of two transforms in each band."""
        across = self.across.ravel()
        sums = np.zeros(self.number)
        product, total = np.empty((2, *one.shape[1:]), one.dtype)
        for band in np.unique(self.along):
            total[:] = 0
            for frame in np.flatnonzero(self.along == band):
                total += np.multiply(one[frame], other[frame], out=product)
            sums[band] = np.bincount(across, total.ravel(), minlength=self.number[1])
        return sums


def radius(height: int, width: int) -> Float64[ndarray, "y x"]:
    """Give the frequencies across a frame, 1 for the highest one along a row."""
    return np.hypot(np.arange(height)[:, None] / height, np.arange(width) / width)
