"""How the noise follows the brightness, told by small tiles of which many may move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

TILE_PX = 4
_MOST_PAIRS = 20
_N_LEVELS = 8
_FEWEST_TILES = 30


@dataclass(frozen=True)
class VarianceLine:
    """The variance of the noise as a straight line over the brightness.

    Parameters
    ----------
    slope
        Variance per count, in counts.
    variance
        At the mean of the stack, in counts squared.
    """

    slope: float
    variance: float

    def scaled(self, by: float) -> VarianceLine:
        """Give the line of counts that are so many times as large."""
        return VarianceLine(self.slope * by, self.variance * by**2)


def rough_line(sample: Real[ndarray, "t y x"], mean: float) -> VarianceLine:
    """Lay a line through the median variances of small tiles, sorted by brightness.

    Up to half of the tiles of a level may hold motion. A median over tiles with few
    quanta is too low, since a few bright ones then make the variance.

    Parameters
    ----------
    sample
        Counts of shape (t, y, x); of a single frame, neighbouring pixels are compared.
    mean
        Counts at which the variance is asked for.
    """
    noise, brightness = _differences(sample, mean)
    variance, bright = _tiled(noise**2), _tiled(brightness)
    edges = np.quantile(bright, np.linspace(0, 1, _N_LEVELS + 1)[1:-1])
    low, high = np.quantile(bright, (0.001, 0.999))
    edges = np.unique([*edges, *np.linspace(low, high, _N_LEVELS)[1:-1]])
    level = np.searchsorted(edges, bright)
    number = np.bincount(level)
    levels = np.flatnonzero(number >= _FEWEST_TILES)
    if not levels.size:  # all as one
        level, levels = np.zeros_like(level), np.array([0])
        number = np.array([level.size])
    # The median of a chi-squared number (E. B. Wilson and M. M. Hilferty, 1931).
    n_px = min(noise[0].size, TILE_PX**2)
    y = np.array([np.median(variance[level == k]) for k in levels])
    y /= (1 - 2 / (9 * n_px)) ** 3
    if not y.any():
        return VarianceLine(0.0, float(variance.mean()))
    x = np.array([bright[level == k].mean() for k in levels])
    return _fitted(x, y, number[levels])


def _fitted(
    x: Float[ndarray, " n"], y: Float[ndarray, " n"], number: Real[ndarray, " n"]
) -> VarianceLine:
    """Fit a line that does not fall, with weights from the line before."""
    line = np.array([0.0, np.average(y, weights=number)])
    least = 0.02 * line[1]
    for _ in range(4):
        weights = np.sqrt(number) / np.maximum(np.polyval(line, x), least)
        if len(x) > 1:
            line = np.polyfit(x, y, 1, w=weights)
        if line[0] <= 0:
            line = np.array([0.0, np.average(y, weights=weights**2)])
    if not line[1] > 0:
        line[1] = y[np.abs(x).argmin()]
    return VarianceLine(float(line[0]), float(line[1]))


def _differences(
    sample: Real[ndarray, "t y x"], mean: float
) -> tuple[Float[ndarray, "n h w"], Float[ndarray, "n h w"]]:
    """Give noise and brightness above the mean: of pairs of frames, or of one frame."""
    if len(sample) > 1:
        step = max(-(-len(sample) // _MOST_PAIRS), 2)
        late = sample[1::step] - np.float64(mean)
        early = sample[::step][: len(late)] - np.float64(mean)
        noise, brightness = (late - early) / np.sqrt(2), (late + early) / 2
    else:
        noise = brightness = sample - np.float64(mean)
        for axis in (a for a in (1, 2) if sample.shape[a] > 2):
            # The weights of 1 -2 1 square to 6.
            noise = np.diff(noise, 2, axis=axis) / np.sqrt(6)
            brightness = brightness.take(range(1, brightness.shape[axis] - 1), axis)
    n = noise[0].size
    if n > 1:  # a lamp flickers
        noise = noise - noise.mean(axis=(1, 2), keepdims=True)
        noise *= np.sqrt(n / (n - 1))
    return noise, brightness


def _tiled(values: Float[ndarray, "t y x"]) -> Float[ndarray, " n"]:
    """Average over squares; what is left at the rims is left out."""
    frames, *shape = values.shape
    (rows, height), (columns, width) = (
        (max(n // TILE_PX, 1), min(n, TILE_PX)) for n in shape
    )
    cut = values[:, : rows * height, : columns * width]
    lines = cut.reshape(frames, rows, height, -1).sum(axis=2)
    squares = lines.reshape(-1, columns, width).sum(axis=2)
    means: ndarray = squares.ravel() / (height * width)
    return means
