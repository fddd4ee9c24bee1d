"""Independent movies from one: splitting counts electron by electron."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray


def thin(
    counts: Real[ndarray, "..."],
    fraction: float | Float[ndarray, "..."],
    *,
    gain: float = 1.0,
    offset: float = 0.0,
    rng: np.random.Generator,
) -> tuple[Float[ndarray, "..."], Float[ndarray, "..."]]:
    """Split Poisson counts into two independent ones.

    Each electron goes to the first part with the chance `fraction`. The parts of a
    Poisson number are independent Poisson numbers, with means in that proportion.

    Parameters
    ----------
    counts
        Detector output of a counting camera, any shape, in counts.
    fraction
        Share of the electrons in the first part, between 0 and 1; one, or an array
        that broadcasts to `counts`.
    gain, offset
        Counts per electron, and counts in the dark.
    rng
        Where the chances come from.

    Returns
    -------
    first, second
        Electrons, float32, of the shape of `counts`; their sum is the input's
        electrons, rounded to whole ones.

    References
    ----------
    P. McCullagh and J. A. Nelder, Generalized Linear Models (1989), binomial thinning.
    """
    electrons = np.rint((np.asarray(counts, np.float64) - offset) / gain)
    electrons = np.maximum(electrons, 0).astype(np.int64)
    first = rng.binomial(electrons, fraction)
    return first.astype(np.float32), (electrons - first).astype(np.float32)


def looks_counted(
    stack: Real[ndarray, "t y x"], *, gain: float = 1.0, offset: float = 0.0
) -> bool:
    """Tell whether a stack behaves like independent Poisson counts.

    It must hold whole electrons, and the variance between neighbouring frames must be
    near its mean. Motion raises that variance, so the median over tiles is asked.
    """
    if stack.shape[0] < 2:
        return False
    sample = stack[: 64 if stack.shape[0] > 64 else None]
    electrons = (sample.astype(np.float64) - offset) / gain
    if electrons.min() < -1e-3 or np.abs(electrons - np.rint(electrons)).max() > 1e-3:
        return False
    difference = np.diff(electrons, axis=0)
    fano = _tile_means(difference**2) / 2 / np.maximum(_tile_means(electrons), 1e-12)
    return bool(0.75 < np.median(fano) < 1.33)


def _tile_means(stack: Float[ndarray, "t y x"], edge: int = 16) -> Float[ndarray, " n"]:
    """Average over all frames and tiles of `edge` pixels; ragged rims are left out."""
    flat = stack.mean(axis=0)
    edge = min(edge, *flat.shape)
    rows, columns = flat.shape[0] // edge, flat.shape[1] // edge
    tiles = flat[: rows * edge, : columns * edge].reshape(rows, edge, columns, edge)
    means: ndarray = tiles.mean(axis=(1, 3)).ravel()
    return means
