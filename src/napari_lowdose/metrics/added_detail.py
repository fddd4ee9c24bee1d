"""Added detail: whether denoising brought out what is there, without truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.metrics.metric import Score, Scored
from napari_lowdose.metrics.ring_correlation import (
    RingCorrelation,
    correlation_of,
    ring_products,
    ring_ratio,
    shape_of,
)

_DRAWS = 200
_FEWEST_FRAMES = 8


@dataclass(frozen=True)
class AddedDetail:
    """What denoising has added to what a recording shows.

    Parameters
    ----------
    raw
        Of one noisy half with the other.
    cross
        Of the denoised half with the other, noisy one.
    share
        How far `cross` has come from `raw` to ``sqrt(raw)``, over all resolved rings.
    """

    raw: RingCorrelation
    cross: RingCorrelation
    share: Scored


def cross_frc(
    denoised: Real[ndarray, "*t y x"],
    raw: Real[ndarray, "..."],
    other: Real[ndarray, "..."],
    *,
    rng: np.random.Generator,
) -> AddedDetail:
    """Measure without truth whether denoising brought out what is there.

    The noise of `other` is independent of both. A linear filter of single frames leaves
    the correlation with it at FRC, that of the two noisy halves; a perfect denoiser
    raises it to ``sqrt(FRC)``. What lies between proves added information, from other
    frames or from what the method knows of such specimens.

    Parameters
    ----------
    denoised
        What a method made of `raw`.
    raw, other
        Two parts with independent noise and equal dose, (y, x) or (t, y, x).
    rng
        Draws frames for the standard error, from 8 frames on.

    Returns
    -------
    AddedDetail

    Raises
    ------
    ValueError
        As in `frc`.

    References
    ----------
    Notes on algorithms, section 24.4.
    """
    shape = shape_of(denoised, raw)
    shape_of(raw, other)
    raw_sums = np.array(list(ring_products(raw, other, shape)))
    cross_sums = np.array(list(ring_products(denoised, other, shape)))
    n = len(raw_sums)
    raw_curve = correlation_of(raw_sums.sum(axis=0), shape, n)
    cross_curve = correlation_of(cross_sums.sum(axis=0), shape, n)
    resolved = raw_curve.resolved
    value = _share(raw_sums, cross_sums, resolved, np.arange(n))
    if n < _FEWEST_FRAMES or not np.isfinite(value):
        return AddedDetail(raw_curve, cross_curve, Scored(value))
    draws = [
        _share(raw_sums, cross_sums, resolved, rng.integers(n, size=n))
        for _ in range(_DRAWS)
    ]
    share = Scored(value, float(np.std(draws) * np.sqrt(n / (n - 1))))
    return AddedDetail(raw_curve, cross_curve, share)


def _share(
    raw_sums: ndarray, cross_sums: ndarray, resolved: ndarray, frames: ndarray
) -> float:
    """Add up, over resolved rings, what was gained and what could be."""
    raw, cross = (
        ring_ratio(sums[frames].sum(axis=0))[resolved]
        for sums in (raw_sums, cross_sums)
    )
    n = np.flatnonzero(resolved) + 1.0  # rings have as many pixels as they are wide
    least = np.clip(raw, 0, 1)
    possible = np.sum(n * (np.sqrt(least) - least))
    return float(np.sum(n * (cross - raw)) / possible) if possible > 0 else np.nan


CROSS_FRC = Score(
    unit="",
    higher_is_better=True,
    range="up to 1; 0 for a linear filter of single frames",
    summary="Added detail: how far the correlation of a denoised half with the other, "
    "noisy half has come from that of the two noisy halves to the best there can be. "
    "Below 0 detail was lost or invented. It lies where the halves share noise, as a "
    "detector that counts an electron in several pixels makes them.",
)
