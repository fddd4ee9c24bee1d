"""Sums over small pieces of a stack, sorted by brightness, where nothing moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Int, Real
from numpy import ndarray

from napari_lowdose.noise.differences import Difference, Differences

_BLURS_PX = (1.0, 2.0, 4.0)
_N_LEVELS = 14
_FEW_FRAMES = 6
_FEWEST_CELLS = 96
_RIM_PX = 2
# A pixel is left out where half a pixel of motion would add this share to the variance
# of its noise, or where it changed by more than noise does.
_MOTION_PX = 0.5
_MOTION_SHARE = 0.02
_CHANGE = 3.5
_SPIKE = 8.0
_EMPTY = 0.1  # of the typical noise, that flicker may leave in an empty place
_MOST = 1e12  # a score
_KEPT = 0.1  # of the pixels at least, where everything has edges


@dataclass(frozen=True)
class Cells:
    """Sums over pieces in space and time (cells), for each level of brightness.

    Parameters
    ----------
    n
        Number of pixels.
    mean, variance, third, fourth
        Sums of estimates of the mean and of the cumulants of single pixels.
    """

    n: Float[ndarray, "cells levels"]
    mean: Float[ndarray, "cells levels"]
    variance: Float[ndarray, "cells levels"]
    third: Float[ndarray, "cells levels"]
    fourth: Float[ndarray, "cells levels"]

    @property
    def sums(self) -> Float[ndarray, "5 cells levels"]:
        """All of them."""
        return np.stack([self.n, self.mean, self.variance, self.third, self.fourth])


@dataclass(frozen=True)
class Sorting:
    """How pixels are sorted by brightness, and which are left out.

    Parameters
    ----------
    edges
        Of the levels' brightness, rising.
    slope, intercept
        A first guess of the variance as a line over the brightness.
    blur_px
        Of the guide.
    strictness
        Divides the score of motion, so that enough pixels are kept.
    """

    edges: Float[ndarray, " n"]
    slope: float
    intercept: float
    blur_px: float
    strictness: float = 1.0

    def levels(self, guide: Float[ndarray, "y x"]) -> Int[ndarray, "y x"]:
        """Give each pixel the number of its level, from 0."""
        low, high = float(self.edges[0]), float(self.edges[-1])
        fine = np.linspace(low, high, 513)
        table = np.searchsorted(self.edges, (fine[1:] + fine[:-1]) / 2) - 1
        place = np.clip((guide - low) * (512 / (high - low)), 0, 511)
        levels: ndarray = table[place.astype(np.int32)]
        return levels

    @property
    def n_levels(self) -> int:
        """One less than their edges."""
        return len(self.edges) - 1

    @property
    def noise_std(self) -> float:
        """First guess of the deviation of the noise in the darkest place."""
        darkest = self.slope * float(self.edges[0]) + self.intercept
        return float(np.sqrt(max(darkest, 0.0)))

    def variance(self, guide: Float[ndarray, "y x"]) -> Float[ndarray, "y x"]:
        """Guess the variance of the noise."""
        return self.slope * guide + self.intercept

    def motion(self, difference: Difference) -> Float[ndarray, "y x"]:
        """Score how much of a pixel's variance may be motion; below 1 is little."""
        variance = np.maximum(self.variance(difference.guide), 1e-30)
        across = cv2.Sobel(difference.guide, -1, 1, 0, scale=1 / 8)
        along = cv2.Sobel(difference.guide, -1, 0, 1, scale=1 / 8)
        score = across * across + along * along
        score *= _MOTION_PX**2 / _MOTION_SHARE
        if difference.change is not None:
            # What smoothing leaves of the noise of two means of two frames each.
            left = 1 / (4 * np.pi * self.blur_px**2)
            change = difference.change * difference.change
            score = np.maximum(score, change / (left * _CHANGE**2))
        score /= variance * self.strictness
        # X-rays and salt: far beyond what few counts do.
        largest = _SPIKE * (np.sqrt(variance) + self.slope)
        score[np.abs(difference.noise) > largest] = np.inf
        return score


def sort(differences: Differences) -> tuple[Differences, Sorting]:
    """Find levels of brightness that the noise has no part in.

    The guide is blurred as much as sets the levels furthest apart: not at all would
    sort noise, too much would sort nothing.
    """
    blurs = _BLURS_PX if differences.n_frames >= 5 else _BLURS_PX[:1]
    tried = [_sorted(replace(differences, blur_px=blur)) for blur in blurs]
    _, best, sorting = max(tried, key=lambda each: each[0])
    return best, sorting


def _sorted(differences: Differences) -> tuple[float, Differences, Sorting]:
    """Sort by one guide, and tell the variance between the levels."""
    sample = list(differences.read(_FEW_FRAMES))
    sorting = Sorting(_edges(sample), 0.0, 1.0, differences.blur_px)
    n, mean, variance = _roughly(sample, sorting, differences.shares[0])
    spread = float(np.average((mean - np.average(mean, weights=n)) ** 2, weights=n))
    slope, intercept = _rough_line(n, mean, variance)
    typical = float(np.average(variance, weights=n))
    sorting = replace(sorting, slope=slope, intercept=intercept)
    # An empty ground that holds still tells nothing.
    lively = [
        sorting.motion(d)[::3, ::3][
            np.abs(d.noise[::3, ::3]) > _EMPTY * np.sqrt(typical)
        ]
        for d in sample
    ]
    scores = np.concatenate([*lively, [0.0]])
    strictness = max(float(np.quantile(np.minimum(scores, _MOST), _KEPT)), 1.0)
    return spread, differences, replace(sorting, strictness=strictness)


def _edges(sample: list[Difference]) -> Float[ndarray, " n"]:
    """Choose levels: half of them of equal share, half of equal width."""
    guide = np.concatenate([d.guide[::2, ::2].ravel() for d in sample])
    low, high = np.quantile(guide, (0.002, 0.9995))
    half = _N_LEVELS // 2
    shares = np.quantile(guide, np.linspace(0, 1, half + 1)[1:-1])
    widths = np.linspace(low, high, half + 2)[1:-1]
    first, last = float(guide.min()), float(guide.max())
    last = max(last, first + 1e-6 * max(abs(first), 1.0))
    return np.unique(np.concatenate([[first], shares, widths, [last]]).astype(float))


def _roughly(
    sample: list[Difference], sorting: Sorting, share: float
) -> Float[ndarray, "3 levels"]:
    """Give pixels, mean and variance of the levels; of tiles, those that move least."""
    tiles, _ = tiling(sample[0].noise.shape, 1)
    shape = (int(tiles.max()) + 1, sorting.n_levels)
    sums = np.zeros((3, *shape))
    for d in sample:
        index = (tiles * sorting.n_levels + sorting.levels(d.guide)).ravel()
        for total, values in zip(
            sums, (None, d.mean, d.noise * d.noise / share), strict=True
        ):
            total += _sums_by(index, values, total.size).reshape(shape)
    n = sums[0].sum(axis=0)
    sums, n = sums[..., n > 0], n[n > 0]
    variance = sums[2].sum(axis=0) / n
    for level in range(len(n)):
        large = sums[0, :, level] > 20
        if large.any():
            tile = sums[2, large, level] / sums[0, large, level]
            variance[level] = min(variance[level], np.quantile(tile, 0.25))
    return np.stack([n, sums[1].sum(axis=0) / n, variance])


def _rough_line(
    n: Float[ndarray, " levels"],
    mean: Float[ndarray, " levels"],
    variance: Float[ndarray, " levels"],
) -> tuple[float, float]:
    """Fit a line that nowhere falls below a tenth of the mean variance."""
    typical = float(np.average(variance, weights=n)) or 1e-12
    middle = float(np.average(mean, weights=n))
    slope = 0.0
    if len(n) > 1 and np.ptp(mean) > 0:
        weights = np.sqrt(n) / (variance + 0.1 * typical)
        steepest = 0.9 * typical / max(middle - float(mean.min()), 1e-30)
        slope = float(np.clip(np.polyfit(mean, variance, 1, w=weights)[0], 0, steepest))
    return slope, typical - slope * middle


def tiling(shape: tuple[int, ...], n_frames: int) -> tuple[Int[ndarray, "y x"], int]:
    """Give each pixel the number of its tile, and how often to cut the time.

    Tiles are small enough for enough cells to draw conclusions from their spread.
    """
    times = min(max(n_frames // 6, 1), 4)
    edge = 32
    while edge > 8 and (shape[0] // edge) * (shape[1] // edge) * times < _FEWEST_CELLS:
        edge //= 2
    rows, columns = (
        np.minimum(np.arange(n) // edge, max(n // edge, 1) - 1) for n in shape
    )
    return rows[:, None] * (int(columns[-1]) + 1) + columns, times


def gather(differences: Differences, sorting: Sorting) -> Cells:
    """Add up the cumulants of the noise, cell by cell and level by level."""
    first = next(differences.read(1))
    n_frames = len(differences.frames())
    tiles, n_times = tiling(first.noise.shape, n_frames)
    n_tiles, n_levels = int(tiles.max()) + 1, sorting.n_levels
    moved = n_tiles * n_levels
    sums = np.zeros((n_times, 5, moved + 1))
    rim = np.ones(tiles.shape, bool)
    rim[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] = False
    for number, d in enumerate(differences.read()):
        index = tiles * n_levels + sorting.levels(d.guide)
        index[(sorting.motion(d) >= 1) | rim] = moved
        flat = index.ravel()
        chunk = sums[number * n_times // n_frames]
        for total, values in zip(
            chunk, (None, d.mean, *_cumulants(d, differences.shares)), strict=True
        ):
            total += _sums_by(flat, values, total.size)
    kept = sums[..., :moved].reshape(n_times, 5, n_tiles, n_levels)
    return Cells(*kept.transpose(1, 0, 2, 3).reshape(5, -1, n_levels))


def _sums_by(
    index: Int[ndarray, " n"], values: Float[ndarray, "y x"] | None, size: int
) -> Real[ndarray, " {size}"]:
    weights = None if values is None else values.ravel()
    return np.bincount(index, weights, size)


def _cumulants(
    d: Difference, shares: tuple[float, float, float]
) -> tuple[Float[ndarray, "y x"], ...]:
    """Estimate second, third and fourth cumulant of single pixels."""
    second, third, fourth = shares
    square = d.noise * d.noise
    # The square of the variance from independent noise of the same brightness.
    if d.again is not None:
        other = d.again * d.again
    else:
        other = np.zeros_like(square)
        other[:, 2:-2] = (square[:, 4:] + square[:, :-4]) / 2
    return (
        square * np.float32(1 / second),
        square * d.noise * np.float32(1 / third if abs(third) > 1e-9 else 0),
        square * (square - 3 * other) * np.float32(1 / fourth),
    )
