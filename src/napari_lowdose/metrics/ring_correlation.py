"""Fourier ring correlation: up to which detail two images show the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float64, Real
from numpy import ndarray

from napari_lowdose.metrics.metric import Score, Scored
from napari_lowdose.metrics.spectrum import (
    HANN_SHARE,
    ring_sums,
    spectrum,
    weights,
)

_SMOOTHED = 3  # rings
_DRAWS = 200
_LEAST_PX = 16
_FEWEST_PIXELS = 5.0  # independent ones: below, no correlation counts as resolved


class Threshold(StrEnum):
    """Down to where two images count as showing the same."""

    SEVENTH = "1/7"  # the same for each ring
    HALF_BIT = "half-bit"  # half a bit of information per Fourier pixel in their sum
    ONE_BIT = "one-bit"  # a whole one, for each of the images


@dataclass(frozen=True)
class RingCorrelation:
    """How alike two images are, by spatial frequency.

    Parameters
    ----------
    frequency
        Cycles per pixel, up to 0.5.
    correlation
        Between -1 and 1; S / (S + N) for images of the same with independent noise.
    n_independent
        Independent Fourier pixels of each ring: half of them, as the other half mirrors
        them, and fewer by the window; of all frames together.
    """

    frequency: Float64[ndarray, " ring"]
    correlation: Float64[ndarray, " ring"]
    n_independent: Float64[ndarray, " ring"]

    @property
    def std_error(self) -> Float64[ndarray, " ring"]:
        """The correlation's standard error, for Gaussian noise."""
        error: ndarray = (1 - self.correlation**2) / np.sqrt(2 * self.n_independent)
        return error

    def at_both(self) -> RingCorrelation:
        """Give what the sum of both halves would have: ``2 FRC / (1 + FRC)``."""
        half = np.maximum(self.correlation, -0.9)  # noise around zero, not below
        return RingCorrelation(
            self.frequency, 2 * half / (1 + half), self.n_independent
        )

    def threshold(self, rule: Threshold) -> Float64[ndarray, " ring"]:
        """Give the correlation at which detail counts as resolved.

        The first rings, of less than 5 independent pixels, count as resolved anyway.
        """
        root = np.sqrt(self.n_independent)
        few = self.n_independent < _FEWEST_PIXELS
        return np.where(few, -1.0, _level(root, rule))

    def crossing(
        self, rule: Threshold = Threshold.SEVENTH, *, rng: np.random.Generator
    ) -> Scored:
        """Find the frequency up to which both images show the same.

        Returns
        -------
        Scored
            In cycles per pixel; near 0 where nothing is alike, 0.5 where all is. Its
            standard error is the scatter when each ring is moved by its own.
        """
        level = self.threshold(rule)
        moved = rng.standard_normal((_DRAWS, len(level))) * self.std_error
        curves = np.vstack([self.correlation, self.correlation + moved])
        found = _first_crossings(self.frequency, _smoothed(curves), level)
        return Scored(float(found[0]), float(found[1:].std()))

    @property
    def resolved(self) -> Bool[ndarray, " ring"]:
        """Mark the rings before the first crossing of 1/7."""
        level = self.threshold(Threshold.SEVENTH)
        curves = _smoothed(self.correlation[None])
        marks: ndarray = self.frequency < _first_crossings(
            self.frequency, curves, level
        )
        return marks

    def resolution(
        self,
        pixel_size: float = 1.0,
        rule: Threshold = Threshold.SEVENTH,
        *,
        rng: np.random.Generator,
    ) -> Scored:
        """Give the finest resolved detail: a pixel over the crossing.

        In the unit of the pixel size; infinite where nothing is alike, and never below
        two pixels.
        """
        at = self.crossing(rule, rng=rng)
        if not at.value:
            return Scored(np.inf)
        size = pixel_size / at.value
        return Scored(size, size * at.std_error / at.value)


def frc(one: Real[ndarray, "*t y x"], other: Real[ndarray, "..."]) -> RingCorrelation:
    """Correlate two images ring by ring in Fourier space.

    Parameters
    ----------
    one, other
        Images (y, x), or frame by frame of (t, y, x), of the same with independent
        noise: two thinned parts best of all. A denoiser that has seen both, or was
        trained on both, makes their errors alike and the resolution too fine.

    Raises
    ------
    ValueError
        If shapes differ, frames have less than 16 pixels or show nothing.

    References
    ----------
    M. van Heel and M. Schatz, J. Struct. Biol. 151, 250 (2005), thresholds; notes on
    algorithms, section 24.4.
    """
    shape = shape_of(one, other)
    sums = np.sum(list(ring_products(one, other, shape)), axis=0)
    return correlation_of(sums, shape, _n_frames(one))


def _level(root: Float64[ndarray, " ring"], rule: Threshold) -> ndarray:
    """Give the thresholds of the literature for the root of the number of pixels."""
    if rule is Threshold.SEVENTH:
        return np.full(len(root), 1 / 7)
    if rule is Threshold.HALF_BIT:
        curve: ndarray = (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)
    else:
        curve = (0.5 + 2.4142 / root) / (1.5 + 1.4142 / root)
    return curve


def ring_products(
    one: ndarray, other: ndarray, shape: tuple[int, int]
) -> Iterator[Float64[ndarray, "3 ring"]]:
    """Sum, for each frame, the cross power and both powers over rings."""
    for first, second in zip(
        one.reshape(-1, *shape), other.reshape(-1, *shape), strict=True
    ):
        a, b = spectrum(first), spectrum(second)
        parts = (
            a.real * b.real + a.imag * b.imag,
            a.real**2 + a.imag**2,
            b.real**2 + b.imag**2,
        )
        yield np.stack([ring_sums(part, shape[1]) for part in parts])


def correlation_of(
    sums: Float64[ndarray, "3 ring"], shape: tuple[int, int], n_frames: int
) -> RingCorrelation:
    """Make the curve of summed cross power and powers."""
    n = len(sums[0])
    ones = np.ones((shape[0], len(weights(shape[1]))), np.float32)
    pixels = ring_sums(ones, shape[1]) * n_frames
    frequency = np.arange(1, n + 1) / (2 * n)
    return RingCorrelation(frequency, ring_ratio(sums), pixels / 2 * HANN_SHARE)


def ring_ratio(sums: Float64[ndarray, "3 ring"]) -> Float64[ndarray, " ring"]:
    """Divide cross power by the root of both powers; 0 where there is none."""
    cross, one, other = sums
    power = np.sqrt(one * other)
    ratio: ndarray = cross / np.where(power > 0, power, 1)
    return ratio


def _smoothed(curves: Float64[ndarray, "n ring"]) -> Float64[ndarray, "n ring"]:
    """Average over three rings; at the ends over those that there are."""
    padded = np.pad(curves, ((0, 0), (1, 1)), mode="edge")
    mean: ndarray = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / _SMOOTHED
    return mean


def _first_crossings(
    frequency: Float64[ndarray, " ring"],
    curves: Float64[ndarray, "n ring"],
    level: Float64[ndarray, " ring"],
) -> Float64[ndarray, " n"]:
    """Find, between two rings, where each curve first falls below the level."""
    above = curves - level
    below = above < 0
    first = np.argmax(below, axis=1)
    before = np.maximum(first - 1, 0)
    i = np.arange(len(curves))
    high, low = above[i, before], above[i, first]
    fall = np.where(high > low, high - low, 1)
    place = frequency[before] + (frequency[first] - frequency[before]) * high / fall
    found: ndarray = np.where(below.any(axis=1), np.where(first > 0, place, 0.0), 0.5)
    return found


def _n_frames(stack: ndarray) -> int:
    return 1 if stack.ndim == 2 else len(stack)


def shape_of(one: ndarray, other: ndarray) -> tuple[int, int]:
    """Give the frames' shape; refuse what cannot be compared ring by ring."""
    if one.shape != other.shape or one.ndim not in (2, 3):
        raise ValueError(
            "expected two images (y, x) or stacks (t, y, x) of one shape, got "
            f"{one.shape} and {other.shape}"
        )
    height, width = one.shape[-2:]
    if min(height, width) < _LEAST_PX:
        raise ValueError(
            f"expected frames of at least {_LEAST_PX} x {_LEAST_PX} pixels to tell "
            f"spatial frequencies apart, got {height} x {width}"
        )
    return height, width


FRC = Score(
    unit="cycles/px",
    higher_is_better=True,
    range="0 to 0.5",
    summary="Spatial frequency at which two thinned halves of the noisy stack stop "
    "showing the same in single frames (1/7). It is a property of the recording at "
    "half its dose, for comparison; fixed patterns of the detector are taken for "
    "detail.",
)
