"""Gains, offsets and readout noises that agree with the cumulants of the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.calibration import Calibration
from napari_lowdose.noise.transfer import Moments

_GRID = 160
_N_ZOOMS = 4
_DROP = 1.92  # of the logarithm of the likelihood at the ends of a 95 % interval
_SLACK = 0.05  # of the noise, so that an interval that ends at zero holds it

Grid = Float[ndarray, "g other"]


@dataclass(frozen=True)
class Range:
    """The most likely value, and the interval of those hardly less likely."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Likely:
    """Detectors that agree with the moments.

    Parameters
    ----------
    gain, offset, readout_variance, dose
        In counts, and counts squared.
    log_likelihood
        Of the best of them; zero where everything agrees.
    skewed
        Whether skewness had a say.
    """

    gain: Range
    offset: Range
    readout_variance: Range
    dose: Range
    log_likelihood: float
    skewed: bool


def likely(
    moments: Moments,
    *,
    dose_mean: float,
    lowest: float,
    skewed: bool,
    known: Calibration,
) -> Likely:
    """Search all gains and offsets; the readout noise is what they leave over.

    Parameters
    ----------
    moments
        Of the noise.
    dose_mean
        Mean of the whole stack, in counts.
    lowest
        Lowest count. Nothing is known of offsets below both it and zero.
    skewed
        Whether the third and fourth cumulant are to be believed: not where pixels
        share their noise.
    known
        What is known beforehand.
    """
    search = _Search(
        moments, skewed, min(lowest, 0.0) - _SLACK * moments.noise_std, known
    )
    gains, other = search.gains(), search.other()
    for _ in range(_N_ZOOMS):
        gain = np.linspace(*gains, _GRID)[:, None]
        axis = np.linspace(*other, _GRID if other[1] > other[0] else 1)[None, :]
        offset = search.offset(gain, axis)
        log = search.log_likelihood(gain, offset)
        best = np.unravel_index(np.argmax(log), log.shape)
        search.settle(float(gain[best[0], 0]), float(offset[best]))
        near = log >= log.max() - 3 * _DROP
        gains = _reach(gain[:, 0], near.any(axis=1))
        other = _reach(axis[0], near.any(axis=0))
    inside = log >= log.max() - _DROP
    left = moments.variance - gain * (moments.mean - offset)

    def span(values: Grid) -> Range:
        picked = values[inside]
        return Range(float(values[best]), float(picked.min()), float(picked.max()))

    return Likely(
        span(np.broadcast_to(gain, log.shape)),
        span(offset),
        _wider(span(left), 1.96 * moments.variance_std),
        span((dose_mean - offset) / gain),
        float(log.max()),
        skewed,
    )


def _reach(axis: Float[ndarray, " n"], near: ndarray) -> tuple[float, float]:
    """Bound what is near on an axis, one step wider."""
    kept = axis[near]
    step = axis[1] - axis[0] if len(axis) > 1 else 0.0
    return (
        max(float(kept[0] - step), float(axis[0])),
        min(float(kept[-1] + step), float(axis[-1])),
    )


def _wider(found: Range, error: float) -> Range:
    """Add an independent error; variances are not negative."""
    low = found.value - np.hypot(found.value - found.low, error)
    high = found.value + np.hypot(found.high - found.value, error)
    return Range(max(found.value, 0.0), max(float(low), 0.0), max(float(high), 0.0))


class _Search:
    """The likelihood of detectors, on grids over the gain and one number more.

    That number is the offset where it is known, else its place among those that are
    possible at that gain: then what agrees with the data is no thin diagonal.
    """

    def __init__(
        self, moments: Moments, skewed: bool, lowest: float, known: Calibration
    ) -> None:
        self.moments = moments
        self.lowest = lowest
        self.known = known
        self.n_told = 3 if skewed else 1
        self.settle(0.0, moments.mean)

    def settle(self, gain: float, offset: float) -> None:
        """Take the errors of what is compared at the best detector found so far."""
        counted = gain * (self.moments.mean - offset)
        share = float(np.clip(counted / self.moments.variance, 0, 1))
        compared = np.array([
            [1, 0, 0, 0], [0, -gain * share, 1, 0], [0, -(gain**2) * share, 0, 1]
        ])[: self.n_told]  # fmt: skip
        covariance = compared @ self.moments.covariance @ compared.T
        self._inverse = np.linalg.pinv(covariance, hermitian=True)

    def gains(self) -> tuple[float, float]:
        """Bound the gain."""
        moments, gain = self.moments, self.known.gain
        if gain is not None:
            reach = 5 * gain.error + 1e-6 * gain.value
            return gain.value - reach, gain.value + reach
        noise = float(np.sqrt(moments.variance))
        # All variance being counting sets the largest gain.
        above = max(moments.mean - moments.darkest, 1e-3 * noise)
        if self.known.offset is not None:
            above = max(moments.mean - self.known.offset.value, above) / 1.5
        largest, smallest = moments.variance / above, 0.0
        if len(moments.transfer.mean) > 1:
            largest = min(largest, moments.slope + 6 * moments.slope_std)
            smallest = moments.slope - 6 * moments.slope_std
        largest = max(largest, 1e-6 * noise)
        smallest = max(smallest, 1e-4 * largest)
        return smallest, max(largest, 1.001 * smallest)

    def other(self) -> tuple[float, float]:
        """Bound the second number."""
        offset = self.known.offset
        if offset is None:
            return 0.0, 1.0
        return offset.value - 4 * offset.error, offset.value + 4 * offset.error

    def offset(self, gain: ndarray, axis: ndarray) -> Grid:
        """Turn the second number into an offset.

        Neither is the readout noise below zero, nor any brightness below the dark.
        """
        if self.known.offset is not None:
            return np.broadcast_to(axis, (len(gain), axis.shape[1]))
        moments = self.moments
        low = np.maximum(moments.mean - moments.variance / gain, self.lowest)
        low = np.minimum(low, moments.darkest)
        place: ndarray = low + axis * (moments.darkest - low)
        return place

    def log_likelihood(self, gain: ndarray, offset: Grid) -> Grid:
        """Compare slope and cumulants with what each detector would give."""
        moments, known = self.moments, self.known
        left = moments.variance - gain * (moments.mean - offset)
        counted = moments.variance - np.maximum(left, 0)
        errors = np.stack([
            moments.slope - gain + 0 * offset,
            moments.third - gain * counted,
            moments.fourth - gain**2 * counted,
        ][: self.n_told])  # fmt: skip
        log = -0.5 * np.einsum("iab,ij,jab->ab", errors, self._inverse, errors)
        log -= 0.5 * np.square(np.minimum(left, 0) / moments.variance_std)
        if known.gain is not None and known.gain.error:
            log -= 0.5 * np.square((gain - known.gain.value) / known.gain.error)
        if known.offset is not None and known.offset.error:
            log -= 0.5 * np.square((offset - known.offset.value) / known.offset.error)
        if known.readout_variance is not None:
            error = np.hypot(known.readout_variance.error, moments.variance_std)
            log -= 0.5 * np.square((left - known.readout_variance.value) / error)
        likelihood: ndarray = log
        return likelihood
