"""Finding a baseline's strength on the data at hand, with or without truth."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting, check_frames
from napari_lowdose.classical.coarse_step import CoarseStep
from napari_lowdose.classical.held_out import hold_out
from napari_lowdose.noise import looks_counted, noise_units_of, thin
from napari_lowdose.noise.thinned_error import thinned_mse

# What bounds the work: non-local means takes about a second per million pixels. Filters
# in time need to see how long things last, and see a smaller window for longer.
_MOST_FRAMES, _WINDOW_PX = 16, 192
_MOST_FRAMES_IN_TIME, _WINDOW_IN_TIME_PX = 64, 96
# Tuned at this share of the dose: nearer to 1 the dose is right but the loss noisy.
_KEPT = 0.9
# Strengths lie on a grid of this ratio; the search starts with strides of an octave.
GRID_STEP = 2**0.25
_STRIDES = (4, 2, 1)
_MOST_MOVES = 4
_PGURE = "PGURE: the squared error is estimated from how the estimate follows the noise"

Loss = Callable[[Mapping[str, float]], float]
Point = tuple[int, ...]


@dataclass(frozen=True)
class Tuned:
    """What a search for strengths found.

    Parameters
    ----------
    settings
        The best value of each setting.
    losses
        Loss of every trial; its key holds the values in the order of `settings`.
    criterion
        By what the trials were judged, in one sentence.
    """

    settings: Mapping[str, float]
    losses: Mapping[tuple[float, ...], float]
    criterion: str


def tune(
    baseline: Baseline,
    noisy: Real[ndarray, "t y x"],
    *,
    truth: Real[ndarray, "..."] | None = None,
    gain: float = 1.0,
    offset: float = 0.0,
    seed: int = 0,
) -> Tuned:
    """Choose a baseline's settings on the stack at hand.

    The truth decides where there is one. Without it, a filter may have a criterion of
    its own; else counts are thinned and the filter must predict the held-out electrons,
    and other data have a grid of pixels held out. At most 16 frames are used, evenly
    spread, and a window of 192 pixels of each; for temporal filters 64 consecutive
    ones, and 96 pixels.

    Parameters
    ----------
    baseline
        What to tune, a value of `napari_lowdose.classical.BASELINES`.
    noisy
        Counts of shape (t, y, x), unchanged by this.
    truth
        Expected counts in the noisy stack's unit and shape.
    gain, offset
        Counts per electron, and counts in the dark: by them counts are recognised.
    seed
        Start of the random numbers that thin the counts and place the windows.

    Raises
    ------
    ValueError
        If truth and noisy stack differ in shape.
    UnusableStack
        If the stack has too few frames for the filter, or if there is no truth and
        frames are less than 4 pixels high or wide.
    """
    check_frames(len(noisy), baseline.least_frames)
    if truth is not None and truth.shape != noisy.shape:
        raise ValueError(
            f"expected a truth of the noisy stack's shape {noisy.shape}, "
            f"got {truth.shape}"
        )
    rng = np.random.default_rng(seed)
    windows = _windows(noisy.shape, rng, temporal=baseline.temporal)
    sample = _cut(noisy, windows)
    if truth is None and baseline.judge is not None:
        noise = noise_units_of(noisy, gain=gain, offset=offset)
        losses = baseline.judge(sample, noise, rng)
        return _best(baseline, losses, _PGURE)
    if truth is not None:
        criterion = "mean squared error against the truth"
        loss = _loss_by_truth(baseline, sample, _cut(truth, windows))
    elif looks_counted(noisy, gain=gain, offset=offset):
        criterion = (
            f"thinned loss: {1 - _KEPT:.0%} of the electrons, held out, are predicted"
        )
        first, second = thin(sample, _KEPT, gain=gain, offset=offset, rng=rng)
        loss = _loss_by_thinning(baseline, first, second, gain, offset)
    else:
        criterion = "J-invariant loss: pixels, held out, are predicted from the others"
        loss = _loss_by_held_out_pixels(baseline, sample, rng)
    return _best(baseline, _search(baseline.settings, loss), criterion)


def _best(
    baseline: Baseline, losses: Mapping[tuple[float, ...], float], criterion: str
) -> Tuned:
    best = min(losses, key=losses.__getitem__)
    return Tuned(dict(zip(baseline.settings, best, strict=True)), losses, criterion)


def _loss_by_truth(baseline: Baseline, noisy: ndarray, truth: ndarray) -> Loss:
    return lambda settings: float(
        np.mean((baseline.denoise(noisy, settings) - truth.astype(np.float64)) ** 2)
    )


def _loss_by_thinning(
    baseline: Baseline, first: ndarray, second: ndarray, gain: float, offset: float
) -> Loss:
    # In counts of the whole dose: a stabilized filter knows their gain and offset.
    kept = first * np.float32(gain / _KEPT) + np.float32(offset)
    return lambda settings: thinned_mse(
        (baseline.denoise(kept, settings) - np.float32(offset)) / np.float32(gain),
        second,
        fraction=_KEPT,
    )


def _loss_by_held_out_pixels(
    baseline: Baseline, noisy: ndarray, rng: np.random.Generator
) -> Loss:
    masked, recorded, held_out = hold_out(noisy, rng, temporal=baseline.temporal)
    target = recorded[held_out].astype(np.float64)
    return lambda settings: float(
        np.mean((baseline.denoise(masked, settings)[held_out] - target) ** 2)
    )


def _search(
    settings: Mapping[str, Setting], loss: Loss
) -> dict[tuple[float, ...], float]:
    """Try the coarse grid, then walk downhill from its best in ever smaller steps."""
    losses: dict[Point, float] = {}

    def try_out(points: list[Point]) -> Point:
        for point in points:
            if point not in losses:
                losses[point] = loss(dict(zip(settings, _values(point), strict=True)))
        return min(losses, key=losses.__getitem__)

    with warnings.catch_warnings():
        # The one who uses the tuned filter on the whole stack is told, once.
        warnings.simplefilter("ignore", CoarseStep)
        coarse = [[_steps(value) for value in s.coarse] for s in settings.values()]
        best = try_out(list(product(*coarse)))
        for stride in _STRIDES:
            for _ in range(_MOST_MOVES):
                before, best = best, try_out(_around(best, stride, settings))
                if best == before:
                    break
    return {_values(point): value for point, value in losses.items()}


def _around(point: Point, stride: int, settings: Mapping[str, Setting]) -> list[Point]:
    """List the neighbours of a point, inside the settings' limits."""
    axes = [
        [
            steps
            for steps in (here - stride, here, here + stride)
            if _steps(setting.lowest) <= steps <= _steps(setting.highest)
        ]
        for here, setting in zip(point, settings.values(), strict=True)
    ]
    return list(product(*axes))


def _steps(value: float) -> int:
    """Count the grid steps from 1 to a strength."""
    return round(math.log(value, GRID_STEP))


def _values(point: Point) -> tuple[float, ...]:
    """Turn grid steps into strengths, in four digits."""
    return tuple(float(f"{GRID_STEP**steps:.4g}") for steps in point)


def _windows(
    shape: tuple[int, ...], rng: np.random.Generator, *, temporal: bool
) -> list[tuple[int, slice, slice]]:
    """Choose frames, evenly spread, and a random window in each.

    For a temporal filter: consecutive frames in the middle, and one window for all.
    """
    if temporal:
        count = min(shape[0], _MOST_FRAMES_IN_TIME)
        first = (shape[0] - count) // 2
        window = _window(shape[1:], _WINDOW_IN_TIME_PX, rng)
        return [(frame, *window) for frame in range(first, first + count)]
    count = min(shape[0], _MOST_FRAMES)
    frames = np.linspace(0, shape[0] - 1, count).round().astype(int)
    return [(int(frame), *_window(shape[1:], _WINDOW_PX, rng)) for frame in frames]


def _window(
    shape: tuple[int, ...], edge_px: int, rng: np.random.Generator
) -> tuple[slice, slice]:
    """Place a window in a frame; a small frame is its own window."""
    row, column = (int(rng.integers(max(n - edge_px, 0) + 1)) for n in shape)
    return slice(row, row + edge_px), slice(column, column + edge_px)


def _cut(stack: ndarray, windows: list[tuple[int, slice, slice]]) -> ndarray:
    return np.stack([stack[window] for window in windows])
