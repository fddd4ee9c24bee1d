"""Fitting the chance of being a phantom to spots whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64
from numpy import ndarray

from napari_lowdose.benchmarks.trust.gathering import Kind
from napari_lowdose.particles.calibration import GROUPS, Calibration, design, numbers

# Of the squared weights against the log-likelihood of thousands of spots.
_RIDGE = 1.0
_STEPS = 50
_CLOSE = 1e-8
_FAINTEST = 1e-9


def fit_calibrations(
    spots: pd.DataFrame,
) -> Mapping[tuple[str, ...], Calibration]:
    """Fit one regression for each set of evidence that may be at hand.

    Parameters
    ----------
    spots
        As `evidence_in` gives them. Ghosts and what is at the rim are left out; what
        the movie without noise has counts as real, whether it is a particle or not.

    Raises
    ------
    ValueError
        If there are no phantoms, or nothing but phantoms.
    """
    judged = spots[spots["kind"].isin([Kind.PARTICLE, Kind.STRUCTURE, Kind.PHANTOM])]
    return {groups: _fit(judged, groups) for groups in group_sets()}


def group_sets() -> Iterator[tuple[str, ...]]:
    """Give all sets of groups of evidence."""
    for n in range(len(GROUPS) + 1):
        yield from combinations(GROUPS, n)


def _fit(spots: pd.DataFrame, groups: tuple[str, ...]) -> Calibration:
    evidence = numbers(spots, groups)
    known = np.isfinite(evidence).all(axis=1)
    evidence = evidence[known]
    phantom = (spots["kind"].to_numpy() == Kind.PHANTOM)[known]
    if not 0 < phantom.sum() < len(phantom):
        raise ValueError(
            f"expected phantoms and others among the spots, got {phantom.sum()} of "
            f"{len(phantom)}; take more or larger movies"
        )
    centre = evidence.mean(axis=0)
    scale = np.maximum(evidence.std(axis=0), _FAINTEST)
    weights = ridge_logistic(design(evidence, centre, scale), phantom)
    return Calibration(centre, scale, weights)


def ridge_logistic(
    columns: Float64[ndarray, "n m"],
    outcome: Bool[ndarray, " n"],
    *,
    ridge: float = _RIDGE,
) -> Float64[ndarray, " m"]:
    """Fit a logistic regression; the first column, a constant, is not held small.

    The log-likelihood minus half of `ridge` times the squared weights is climbed by
    Newton's steps, halved where they go too far.

    References
    ----------
    S. le Cessie and J. C. van Houwelingen, J. R. Stat. Soc. C 41, 191 (1992).
    """
    held = np.full(columns.shape[1], ridge)
    held[0] = _CLOSE
    weights = np.zeros(columns.shape[1])
    sign = np.where(outcome, 1.0, -1.0)

    def height(weights: ndarray) -> float:
        odds = sign * (columns @ weights)
        return float(-np.logaddexp(0, -odds).sum() - held @ weights**2 / 2)

    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(columns @ weights)))
        slope = columns.T @ (outcome - chance) - held * weights
        curve = (columns.T * (chance * (1 - chance))) @ columns + np.diag(held)
        step = np.linalg.solve(curve, slope)
        while height(weights + step) < height(weights) and np.abs(step).max() > _CLOSE:
            step = step / 2
        weights = weights + step
        if np.abs(step).max() < _CLOSE:
            break
    return weights
