"""Consecutive structural similarity: how alike neighbouring frames are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.metrics.blocks import block_bootstrap, tile_sums
from napari_lowdose.metrics.metric import Metric, Score, Scored

LAGS = (1, 2, 4, 8)
CSS_TERMS = (0.01**2, 0.03**2)
"""The constants of the original: of the means, and of the variances."""
_EMPTY = 1e-24  # of the squared range: what rounding leaves of an empty frame


def css(
    stack: Real[ndarray, "t y x"],
    *,
    lag: int = 1,
    c1: float = CSS_TERMS[0],
    c2: float = CSS_TERMS[1],
) -> float:
    """Compare each frame with the next by their means, variances and covariance.

    Parameters
    ----------
    stack
        An estimate of shape (t, y, x) with at least 2 frames; its own range, one for
        the whole stack, is scaled to 0..1.
    lag
        Frames from one of a pair to the other.
    c1, c2
        Keep the ratios finite. They also lift the score: noise of a hundredth of the
        range alone already gets 0.82.

    Returns
    -------
    float
        Mean over pairs of frames, between -1 and 1. Alike in mean and variance, two
        frames score their correlation, up to the constants.

    Raises
    ------
    ValueError
        If there are no two frames so far apart.

    References
    ----------
    Noise2Atom, Appl. Microsc. 50, 23 (2020), eq. 10.
    """
    ((means, sums),) = _pairs(stack, stack, (lag,), _whole_sum)
    return float(_similarity(means, sums[None], c1, c2)[0])


def css_plain(stack: Real[ndarray, "t y x"], *, lag: int = 1) -> float:
    """Measure `css` without its constants: low contrast no longer counts as alike."""
    return css(stack, lag=lag, c1=0.0, c2=0.0)


def css_between(
    one: Real[ndarray, "t y x"],
    other: Real[ndarray, "_ _ _"],
    *,
    rng: np.random.Generator,
    lags: Sequence[int] = (1,),
    constants: tuple[float, float] = (0.0, 0.0),
) -> tuple[Scored, ...]:
    """Compare frame t of one estimate with frame t + lag of another.

    Of estimates from disjoint counts, such as two thinned halves, only what is in the
    specimen is alike: pure noise scores 0, however long it is averaged.

    Parameters
    ----------
    one, other
        Estimates of shape (t, y, x), in the same counts; twice the same for `css`.
    rng
        Draws tiles for the standard error.
    lags
        Frames from one of a pair to the other.
    constants
        As in `css`; none unless told.

    Returns
    -------
    tuple
        For each lag a score between -1 and 1.

    Raises
    ------
    ValueError
        If the shapes differ or there are no two frames so far apart.

    References
    ----------
    Notes on algorithms, section 24.2.
    """
    if one.shape != other.shape:
        raise ValueError(
            f"expected two estimates of one shape, got {one.shape} and {other.shape}"
        )
    scores = []
    for means, pairs in _pairs(one, other, lags, tile_sums):
        similarity = partial(_similarity_of_tiles, means, constants)
        tiles = np.moveaxis(pairs, -1, 0)
        scores.append(block_bootstrap(tiles.reshape(len(tiles), -1), similarity, rng))
    return tuple(scores)


def _whole_sum(image: Float64[ndarray, "y x"]) -> ndarray:
    """Add up over the whole frame."""
    return np.asarray(image.sum())


_Pairs = tuple[Float64[ndarray, "pair 2"], Float64[ndarray, "pair 6 *tile"]]


def _pairs(
    one: ndarray,
    other: ndarray,
    lags: Sequence[int],
    total: Callable[[ndarray], ndarray],
) -> Iterator[_Pairs]:
    """Measure, for each lag, frames' means and what is summed about them by pairs."""
    if len(one) <= max(lags):
        raise ValueError(
            f"expected at least {max(lags) + 1} frames to compare, got {len(one)}"
        )
    pixels = total(np.ones(one.shape[1:]))
    means: dict[int, list[tuple[float, float]]] = {lag: [] for lag in lags}
    sums: dict[int, list[list[ndarray]]] = {lag: [] for lag in lags}
    before: deque[_Frame] = deque(maxlen=max(lags))
    others = None if other is one else _frames(other, one, total)
    for frame in _frames(one, other, total):
        now = frame if others is None else next(others)
        for lag in lags:
            if lag <= len(before):
                then = before[-lag]
                product = total(then.rest * now.rest)
                means[lag].append((then.mean, now.mean))
                sums[lag].append(
                    [pixels, then.sum, now.sum, then.square, now.square, product]
                )
        before.append(frame)
    for lag in lags:
        yield np.array(means[lag]), np.array(sums[lag])


@dataclass(frozen=True)
class _Frame:
    """A frame's mean, the rest, and sums of the rest and of its square."""

    mean: float
    rest: Float64[ndarray, "y x"]
    sum: ndarray
    square: ndarray


def _frames(
    stack: ndarray, other: ndarray, total: Callable[[ndarray], ndarray]
) -> Iterator[_Frame]:
    """Scale each frame by the range of both stacks, and sum it up."""
    low = min(float(stack.min()), float(other.min()))
    span = max(float(stack.max()), float(other.max())) - low or 1.0
    for frame in stack:
        scaled = (frame.astype(np.float64) - low) / span
        mean = float(scaled.mean())
        scaled -= mean
        yield _Frame(mean, scaled, total(scaled), total(scaled**2))


def _similarity_of_tiles(
    means: Float64[ndarray, "pair 2"],
    constants: tuple[float, float],
    sums: Float64[ndarray, "draw k"],
) -> Float64[ndarray, " draw"]:
    return _similarity(means, sums.reshape(len(sums), -1, 6), *constants)


def _similarity(
    means: Float64[ndarray, "pair 2"],
    sums: Float64[ndarray, "draw pair 6"],
    c1: float,
    c2: float,
) -> Float64[ndarray, " draw"]:
    """Average over pairs; two empty frames are alike, as they are with constants."""
    one, other, *squares = np.moveaxis(sums[..., 1:] / sums[..., :1], -1, 0)
    variances = squares[0] - one**2 + squares[1] - other**2
    covariance = squares[2] - one * other
    one, other = one + means[:, 0], other + means[:, 1]
    light = _ratio(2 * one * other, one**2 + other**2, c1)
    contrast = _ratio(2 * covariance, variances, c2)
    mean: ndarray = (light * contrast).mean(axis=1)
    return mean


def _ratio(above: ndarray, below: ndarray, constant: float) -> ndarray:
    full = below + constant > _EMPTY
    return np.where(full, (above + constant) / np.where(full, below + constant, 1), 1.0)


_LIE = (
    "It rewards whatever makes frames alike: pure noise averaged over w frames gets "
    "(w - 1) / w, a constant gets 1, and real motion lowers it."
)
_RANGE = "-1 to 1"

CSS = Metric(
    measure=css,
    needs_truth=False,
    unit="",
    higher_is_better=True,
    range=_RANGE,
    least_shape=(2, 1, 1),
    summary=f"Similarity of consecutive frames. {_LIE}",
)
CSS_PLAIN = Metric(
    measure=css_plain,
    needs_truth=False,
    unit="",
    higher_is_better=True,
    range=_RANGE,
    least_shape=(2, 1, 1),
    summary="Similarity of consecutive frames without the constants that lift stacks "
    f"of low contrast. {_LIE}",
)
CSS_LAGGED = {
    f"css_lag_{lag}": Score(
        unit="",
        higher_is_better=True,
        range=_RANGE,
        summary=f"Similarity of frames {lag} apart, without constants. It must not "
        "fall more slowly with the distance than the specimen changes; averaging over "
        f"w frames leaves (w - {lag}) / w of pure noise.",
    )
    for lag in LAGS[1:]
}
CSS_DISJOINT = Score(
    unit="",
    higher_is_better=True,
    range=_RANGE,
    summary="Similarity of consecutive frames, of which one is denoised from one half "
    "of the electrons and the next from the other, without constants. Averaged noise "
    "gets 0; but blur in space or time that erases what moves still raises it, so it "
    "counts only together with the thinned error.",
)
