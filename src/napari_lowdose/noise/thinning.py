"""Independent movies from one: splitting counts electron by electron."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

_PIECE = 2**20
_APART = 0.35  # readout noise, in electrons, up to which electrons are told apart


def thin(
    counts: Real[ndarray, "..."],
    fraction: float | Float[ndarray, "..."],
    *,
    gain: float = 1.0,
    offset: float = 0.0,
    readout_std: float = 0.0,
    rng: np.random.Generator,
) -> tuple[Float[ndarray, "..."], Float[ndarray, "..."]]:
    """Split counts into two parts with independent noise.

    Each electron goes to the first part with the chance `fraction`. The parts of a
    Poisson number are independent Poisson numbers, with means in that proportion.

    Readout noise cannot be split electron by electron. Where it is small (up to a
    third of an electron), whole electrons are split and the rest is shared out with
    fresh noise; where it is larger, the fresh noise stands for the electrons as well.
    The parts are then uncorrelated where there are counts; their correlation is
    within 0.01 above five electrons, and falls to -0.1 where there are hardly any,
    since an electron number below zero cannot be given less than no noise.

    Parameters
    ----------
    counts
        Detector output, any shape, in counts.
    fraction
        Share of the electrons in the first part, between 0 and 1; one, or an array
        that broadcasts to `counts`.
    gain, offset
        Counts per electron, and counts in the dark.
    readout_std
        Standard deviation of the readout noise, in counts; 0 for detectors that count.
    rng
        Where the chances come from.

    Returns
    -------
    first, second
        Electrons, float32, of the shape of `counts`. Their sum is the input's
        electrons: without readout noise rounded to whole ones, with it as they are,
        also below zero.

    References
    ----------
    P. McCullagh and J. A. Nelder, Generalized Linear Models (1989), binomial thinning;
    T. Pang et al., Recorrupted-to-Recorrupted, CVPR 2021, fresh Gaussian noise.
    """
    counts = np.asarray(counts)
    first = np.empty(counts.shape, np.float32)
    second = np.empty_like(first)
    shares = np.asarray(fraction)
    if shares.ndim:
        shares = np.broadcast_to(shares, counts.shape)
    # Piece by piece: the numbers in between take four times the room of the result.
    for piece in _pieces(counts.shape):
        electrons = (counts[piece].astype(np.float64) - offset) / gain
        share = shares[piece] if shares.ndim else shares
        if readout_std:
            parts = _with_readout(electrons, share, readout_std / gain, rng)
        else:
            parts = _whole(electrons, share, rng)
        first[piece], second[piece] = parts
    return first, second


def _pieces(shape: tuple[int, ...]) -> Iterator[slice | tuple[()]]:
    """Cut the first axis so that a piece has about a million values."""
    if not shape:
        yield ()
        return
    step = max(_PIECE * shape[0] // max(math.prod(shape), 1), 1)
    for start in range(0, shape[0], step):
        yield slice(start, start + step)


def _whole(
    electrons: Float[ndarray, "..."], share: ndarray, rng: np.random.Generator
) -> tuple[ndarray, ndarray]:
    """Split whole electrons."""
    whole = np.maximum(np.rint(electrons), 0).astype(np.int64)
    first = rng.binomial(whole, share)
    return first, whole - first


def _with_readout(
    electrons: Float[ndarray, "..."],
    share: ndarray,
    noise: float,
    rng: np.random.Generator,
) -> tuple[ndarray, ndarray]:
    """Split electrons with Gaussian noise, of the deviation `noise`, on them.

    The fresh noise has the variance p (1 - p) v, where v is the variance of what is
    shared out: that makes the covariance p (1 - p) (variance - v) of the parts zero.
    """
    if noise <= _APART:
        first = _whole(electrons, share, rng)[0].astype(np.float64)
        rest = electrons - np.maximum(np.rint(electrons), 0)
        variance: ndarray | float = noise**2
    else:
        first, rest = np.zeros_like(electrons), electrons
        # An unbiased estimate, but for what is cut off below zero.
        variance = np.maximum(electrons + noise**2, 0)
    fresh = rng.standard_normal(electrons.shape)
    first += share * rest + np.sqrt(share * (1 - share) * variance) * fresh
    return first, electrons - first


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
