"""How well counts in a region agree with an estimate that shows something there."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Real
from numpy import ndarray

from napari_lowdose.particles.surroundings import columns_of
from napari_lowdose.particles.windows import pixels_around, square

_RADIUS = np.sqrt(2)  # of a disc whose scale is one


def region_likelihood(
    counted: Real[ndarray, "*n"], expected: Real[ndarray, "*n"] | float
) -> Float64[ndarray, "*n"]:
    """Give the log-likelihood ratio of regions that are evenly brighter.

    ``N ln(N / B) - (N - B)`` where `N` quanta were counted and ``B < N`` expected, and
    zero elsewhere: `fit_amplitude` for a spot as bright in all pixels, halved.

    Parameters
    ----------
    counted
        All quanta of each region.
    expected
        How many there would be without anything in it, above zero.

    References
    ----------
    Notes on algorithms, section 28.1.
    """
    n = np.asarray(counted, np.float64)
    b = np.asarray(expected, np.float64)
    above = np.maximum(n, b)
    gain: ndarray = above * np.log(above / b) - (above - b)
    return gain


def likelihood_map(
    electrons: Real[ndarray, "t y x"],
    estimate: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    *,
    background: float,
) -> Float32[ndarray, "t y x"]:
    """Paint each spot's disc with how much better the counts agree with the estimate.

    In the disc of radius ``sigma sqrt(2)`` with `N` quanta the mean `m` of the estimate
    is compared with the background `b`: ``(N / area) ln(m / b) - (m - b)``, in nats per
    pixel. Above zero the counts prefer the spot. It asks for brightness, not for shape,
    and the counts have already been used to make the estimate.

    Parameters
    ----------
    electrons
        Recorded quanta (t, y, x).
    estimate
        Denoised quanta (t, y, x).
    spots
        One row per spot: frame, y, x, sigma.
    background
        Quanta per pixel without spots (in vacuum), above zero.

    Returns
    -------
    numpy.ndarray
        Zero where no spot is; where discs overlap, the later spot's.

    Raises
    ------
    ValueError
        If the background is not above zero.

    References
    ----------
    S. Mohan et al., arXiv:2010.12970, likelihood maps of detected atoms;
    Notes on algorithms, section 4.
    """
    if background <= 0:
        raise ValueError(
            f"expected a background above 0 quanta per pixel, got {background}"
        )
    painted = np.zeros(electrons.shape, np.float32)
    frame, y, x, sigma = columns_of(spots)
    for t, row, column, radius in zip(
        frame.astype(np.int64), y, x, _RADIUS * sigma, strict=True
    ):
        offsets = square(int(np.ceil(radius)) + 1)
        centre = np.array([[row, column]])
        inside, ys, xs = pixels_around(centre, offsets, electrons.shape[1:])
        disc = inside[0] & (np.hypot(ys[0] - row, xs[0] - column) <= radius)
        if not disc.any():
            continue
        region = (t, ys[0][disc], xs[0][disc])
        mean = max(float(np.mean(estimate[region], dtype=np.float64)), 1e-12)
        counted = float(np.mean(electrons[region], dtype=np.float64))
        painted[region] = counted * np.log(mean / background) - (mean - background)
    return painted
