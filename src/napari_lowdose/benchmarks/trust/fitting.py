"""Fitting the chance of being a phantom to spots whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int
from numpy import ndarray

from napari_lowdose.benchmarks.trust.gathering import Kind
from napari_lowdose.particles.calibration import (
    CERTAIN,
    GROUPS,
    Calibration,
    design,
    numbers,
)

# Of the squared weights against the log-likelihood of thousands of spots.
_RIDGE = 1.0
_STEPS = 50
_CLOSE = 1e-8
_FAINTEST = 1e-9
_PARTS = 5  # of the movies, each judged by a fit to the others


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
    columns = design(evidence, centre, scale)
    weights = ridge_logistic(columns, phantom)
    movies = pd.factorize(spots["movie"][known])[0]
    return Calibration(centre, scale, tempered(weights, columns, phantom, movies))


def tempered(
    weights: Float64[ndarray, " m"],
    columns: Float64[ndarray, "n m"],
    outcome: Bool[ndarray, " n"],
    movies: Int[ndarray, " n"],
) -> Float64[ndarray, " m"]:
    """Make a fit as sure of itself as it may be on movies that it has not seen.

    Spots of a movie go together, so that a fit to thousands of spots knows some dozens
    of movies and takes what is theirs for a law. Each fifth of the movies is judged by
    a fit to the others; a line through these log-odds tells what they are worth.

    Parameters
    ----------
    weights
        Of the fit to all.
    columns, outcome
        As in `ridge_logistic`.
    movies
        Number of each spot's movie. If a part of the movies has but one outcome, or
        there are less than five, the weights stay.

    References
    ----------
    J. C. Platt, Probabilistic outputs for support vector machines, in Advances in Large
    Margin Classifiers, 1999: a line through log-odds of what was left out.
    """
    part = movies % _PARTS
    log_odds = np.empty(len(outcome))
    for number in range(_PARTS):
        out = part == number
        if not out.any() or not 0 < outcome[~out].sum() < (~out).sum():
            return weights
        others = ridge_logistic(columns[~out], outcome[~out], start=weights)
        log_odds[out] = columns[out] @ others
    log_odds = np.clip(log_odds, -CERTAIN, CERTAIN)
    line = np.stack([np.ones(len(log_odds)), log_odds], axis=1)
    constant, worth = ridge_logistic(line, outcome)
    adjusted: ndarray = worth * weights
    adjusted[0] += constant
    return adjusted


def ridge_logistic(
    columns: Float64[ndarray, "n m"],
    outcome: Bool[ndarray, " n"],
    *,
    ridge: float = _RIDGE,
    start: Float64[ndarray, " m"] | None = None,
) -> Float64[ndarray, " m"]:
    """Fit a logistic regression; the first column, a constant, is not held small.

    The log-likelihood minus half of `ridge` times the squared weights is climbed by
    Newton's steps from `start`, or from zero, halved where they go too far.

    References
    ----------
    S. le Cessie and J. C. van Houwelingen, J. R. Stat. Soc. C 41, 191 (1992).
    """
    held = np.full(columns.shape[1], ridge)
    held[0] = _CLOSE
    weights = np.zeros(columns.shape[1]) if start is None else start
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
