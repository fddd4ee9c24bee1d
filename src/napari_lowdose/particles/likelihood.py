"""How many quanta a spot has, and how much more likely counts are with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int, Real
from numpy import ndarray
from scipy import special

_ITERATIONS = 60
_TOLERANCE = 1e-7  # of the range in which the maximum lies, or of where it is
# An intensity must stay above zero where something was counted.
_WITHIN = 1 - 1e-9


@dataclass(frozen=True)
class Amplitudes:
    """What was fitted to the counts of some spots.

    Parameters
    ----------
    amplitude
        Quanta in each whole spot; below zero for dark ones, zero where the counts are
        better explained without a spot of the wanted sign.
    amplitude_std
        Standard deviation of the amplitude, from the information in the counts.
    evidence
        Twice the log-likelihood ratio against no spot.
    """

    amplitude: Float64[ndarray, " n"]
    amplitude_std: Float64[ndarray, " n"]
    evidence: Float64[ndarray, " n"]


def fit_amplitude(
    counts: Real[ndarray, "n p"],
    shape: Float[ndarray, "n p"],
    background: Real[ndarray, "n p"],
    *,
    sign: Int[ndarray, " n"] | int = 1,
) -> Amplitudes:
    """Fit the brightness of spots on a known background, all at once.

    Poisson counts `k` with the expectations ``b + A h`` have the log-likelihood ratio
    ``L(A) = sum(k ln(1 + A h / b) - A h)``, which has one maximum.

    Parameters
    ----------
    counts
        Quanta per pixel; one row per spot. Pixels off the frame have no share.
    shape
        Each pixel's share `h` of the spot. The shares sum to one, or to less where a
        part of the spot is off the frame.
    background
        Expected quanta per pixel without the spot, above zero.
    sign
        1 to look for a bright spot, -1 for a dark one, 0 for either; one per spot, or
        one for all.

    Raises
    ------
    ValueError
        If a background is not above zero.

    References
    ----------
    Notes on algorithms, section 28.1.
    """
    if not np.all(background > 0):
        raise ValueError(
            "expected a background above zero in every pixel: the ratio to it is asked;"
            " give a floor such as 0.001 quanta"
        )
    quanta = counts.astype(np.float64)
    contrast = shape / background
    whole = shape.sum(axis=1)
    highest = np.maximum(quanta, 0).sum(axis=1) / np.maximum(whole, 1e-300)
    lowest = -_WITHIN / np.maximum(contrast.max(axis=1), 1e-300)
    amplitude, evidence = maximise(
        quanta, contrast, whole, (lowest, highest), np.asarray(sign)
    )
    expected = background + amplitude[:, None] * shape
    information = np.sum(shape**2 / np.maximum(expected, 1e-300), axis=1)
    return Amplitudes(amplitude, _deviation(information), evidence)


def maximise(
    counts: Float64[ndarray, "n p"],
    contrast: Float64[ndarray, "n p"],
    lost: Float64[ndarray, " n"],
    limits: tuple[Float64[ndarray, " n"], Float64[ndarray, " n"]],
    sign: Int[ndarray, "..."],
) -> tuple[Float64[ndarray, " n"], Float64[ndarray, " n"]]:
    """Find where ``sum(k ln(1 + a c)) - a d`` is largest, and twice its value.

    Newton's steps, and halves of the interval that is left where they lead out of it.

    Parameters
    ----------
    counts, contrast
        The counts `k` and the factors `c`; one row per spot.
    lost
        The `d` of each spot.
    limits
        Least (at most zero) and largest `a` (at least zero) of each spot.
    sign
        Of the wanted `a`; 0 for any. Where it has the other one, both results are 0.
    """
    low, high = (np.array(limit, np.float64) for limit in limits)
    start = np.einsum("np,np->n", counts, contrast) - lost
    wanted = (start != 0) & (sign * start >= 0)
    low, high = np.where(start > 0, 0.0, low), np.where(start > 0, high, 0.0)
    width = high - low
    place = np.zeros(len(counts))
    slope, curve = start, np.einsum("np,np,np->n", counts, contrast, contrast)
    active = np.flatnonzero(wanted & (width > 0))
    here, slope, curve = place[active], slope[active], curve[active]
    k, c, d = counts[active], contrast[active], lost[active]
    low, high, width = low[active], high[active], width[active]
    for _ in range(_ITERATIONS):
        if not len(active):
            break
        low = np.where(slope >= 0, here, low)
        high = np.where(slope <= 0, here, high)
        newton = here + slope / np.where(curve > 0, curve, np.inf)
        inner = (newton > low) & (newton < high) & (curve > 0)
        there = np.where(inner, newton, (low + high) / 2)
        moved = np.abs(there - here)
        place[active] = there
        going = (moved > _TOLERANCE * np.abs(there)) & (moved > 1e-12 * width)
        if going.sum() < 0.7 * len(going):
            active, k, c, d = active[going], k[going], c[going], d[going]
            low, high, width = low[going], high[going], width[going]
            there = there[going]
        here = there
        ratio = c / (1 + here[:, None] * c)
        slope = np.einsum("np,np->n", k, ratio) - d
        curve = np.einsum("np,np,np->n", k, ratio, ratio)
    gained = np.einsum("np,np->n", counts, np.log1p(place[:, None] * contrast))
    evidence = np.maximum(2 * (gained - place * lost), 0.0)
    return place, evidence


def half_chi2_p(evidence: Float[ndarray, "*n"]) -> Float64[ndarray, "*n"]:
    """Give the chance of as much evidence without any spot.

    An amplitude that may only have one sign is at its bound in half of the cases, and
    in the others the evidence is chi-squared of one degree of freedom.

    Parameters
    ----------
    evidence
        ``T = 2 L``; zero gives one, NaN stays.

    References
    ----------
    H. Chernoff, Ann. Math. Stat. 25, 573 (1954); Notes on algorithms, section 28.1.
    """
    chance: ndarray = 0.5 * special.chdtrc(1, np.maximum(evidence, 0))
    return np.where(np.asarray(evidence) <= 0, 1.0, chance)


def _deviation(information: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
    """Turn information into a standard deviation; none is infinitely uncertain."""
    with np.errstate(divide="ignore"):
        deviation: ndarray = 1 / np.sqrt(np.maximum(information, 0))
    return deviation
