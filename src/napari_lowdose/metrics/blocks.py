"""Standard errors from tiles of the frames, which are drawn again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from napari_lowdose.metrics.metric import Scored

TILE_PX = 16
_FEWEST = 8  # tiles, below which their scatter says too little
_DRAWS = 200

Statistic = Callable[[Float64[ndarray, "draw k"]], Float64[ndarray, " draw"]]


def tile_sums(image: Float64[ndarray, "y x"]) -> Float64[ndarray, " tile"]:
    """Add up over tiles of 16 x 16 pixels; those at the rim may be smaller."""
    return _in_sixteens(_in_sixteens(image).T).T.ravel()


def _in_sixteens(image: Float64[ndarray, "y x"]) -> Float64[ndarray, "tile x"]:
    """Add up sixteen rows each, and what is left over."""
    whole = len(image) - len(image) % TILE_PX
    sums: ndarray = image[:whole].reshape(-1, TILE_PX, image.shape[1]).sum(axis=1)
    if whole == len(image):
        return sums
    return np.concatenate([sums, image[whole:].sum(axis=0)[None]])


def movie_sums(
    frames: Iterable[Sequence[Float64[ndarray, "y x"]]],
) -> Float64[ndarray, "tile k"]:
    """Add up over tiles and all frames what each frame brings: `k` images.

    A tile reaches through the whole movie, because what an estimate gets wrong in one
    frame of a slow scene it gets wrong in the next.
    """
    total: ndarray | float = 0.0
    for images in frames:
        total = total + np.stack([tile_sums(image) for image in images], axis=-1)
    return np.asarray(total)


def block_bootstrap(
    sums: Float64[ndarray, "tile k"], statistic: Statistic, rng: np.random.Generator
) -> Scored:
    """Measure a function of sums, and its standard error.

    Tiles are drawn with replacement, 200 times. Errors must not reach further than a
    tile: where a method blurs over 16 px or more, the standard error is too small.
    What differs from tile to tile in the scene counts as chance, too.

    Parameters
    ----------
    sums
        Of each tile, as `movie_sums` gives them.
    statistic
        Makes one number of the `k` sums, for many draws at once; NaN where there is
        none.
    rng
        Draws the tiles.

    Returns
    -------
    Scored
        Without a standard error for fewer than 8 tiles.

    References
    ----------
    H. R. Kunsch, Ann. Stat. 17, 1217 (1989).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
        n = len(sums)
        if n < _FEWEST or not np.isfinite(value):
            return Scored(value)
        draws = statistic(_weights(n, rng) @ sums)
    known = draws[np.isfinite(draws)]
    if len(known) < 0.9 * len(draws):
        return Scored(value)
    # n tiles scatter by less than what they were drawn from.
    return Scored(value, float(known.std() * np.sqrt(n / (n - 1))))


def mean_of(
    frames: Iterable[Float64[ndarray, "y x"]], rng: np.random.Generator
) -> Scored:
    """Average images over tiles and frames, with a standard error."""
    sums = movie_sums((image, np.ones_like(image)) for image in frames)
    return block_bootstrap(sums, ratio, rng)


def ratio(sums: Float64[ndarray, "draw k"]) -> Float64[ndarray, " draw"]:
    """Divide the first sum by the second."""
    quotient: ndarray = sums[:, 0] / sums[:, 1]
    return quotient


def decibels(peak: float) -> Statistic:
    """Compare a peak with the root of the mean of squares: PSNR of the first sum."""

    def psnr(sums: Float64[ndarray, "draw k"]) -> Float64[ndarray, " draw"]:
        error = ratio(sums)
        level: ndarray = 10 * np.log10(peak**2 / np.where(error < 0, np.nan, error))
        return level

    return psnr


def _weights(n: int, rng: np.random.Generator) -> Float64[ndarray, "draw tile"]:
    """Count how often each tile is drawn."""
    drawn = rng.integers(n, size=(_DRAWS, n)) + n * np.arange(_DRAWS)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=_DRAWS * n)
    return counts.reshape(_DRAWS, n).astype(np.float64)
