"""How much raw counts are expected to say about a spot."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray
from scipy import integrate, stats

# Independent trials per pixel of a search over positions, for a spot of 1.5 pixels.
_TRIALS_PER_PX = 0.3
_TRIALS_SIGMA_PX = 1.5
# Where the integral over a Gaussian's height ends: exp(-16) of its maximum.
_LEAST_LOG = 16.0
_STEPS = 512


def expected_evidence(
    height: Float[ndarray, " n"], sigma_px: Float[ndarray, " n"], background: float
) -> Float[ndarray, " n"]:
    """Expect twice the log-likelihood ratio of Gaussian spots on a flat background.

    With `b` quanta per pixel around it and the spot's own ``a h``, Poisson counts are
    expected to have ``E[2L] = 2 sum((b + a h) ln(1 + a h / b) - a h)``; the sum over
    pixels is taken as an integral.

    Parameters
    ----------
    height
        What each spot adds at its centre, in quanta; negative for a dark one, whose
        hole cannot be deeper than the background.
    sigma_px
        Standard deviation of each spot, in pixels.
    background
        Quanta per pixel around the spots, above zero; readout noise of deviation `s`
        counts as ``s^2`` more.

    References
    ----------
    Notes on algorithms, section 28.1; G. Cowan et al., Eur. Phys. J. C 71, 1554 (2011).
    """
    contrast = np.maximum(np.asarray(height, np.float64) / background, -1.0)
    steps = np.linspace(0.0, _LEAST_LOG, _STEPS)
    profile = contrast[:, None] * np.exp(-steps)
    # (1 + v) ln(1 + v) - v, which is v^2 / 2 near zero and 1 where nothing is left.
    left = np.maximum(1 + profile, 1e-300)
    information = left * np.log(left) - profile
    area = 2 * np.pi * np.asarray(sigma_px, np.float64) ** 2
    evidence: ndarray = 2 * background * area * integrate.trapezoid(information, steps)
    return evidence


def familywise_threshold(n_voxels: int, level: float = 0.05) -> float:
    """Give the evidence that noise reaches anywhere in a movie in few movies only.

    The maximum of ``2L`` over all positions behaves like that of 0.3 independent trials
    per pixel and frame, each of which is zero in half of the cases and otherwise
    chi-squared of one degree of freedom. A frame of 128 x 128 pixels has 18.2.

    Parameters
    ----------
    n_voxels
        Pixels of all frames that are searched.
    level
        Share of movies of pure noise in which some position exceeds the threshold.

    References
    ----------
    Notes on algorithms, section 28.3 (measured, spots of 1.5 pixels).
    """
    trials = max(_TRIALS_PER_PX * n_voxels, 1.0)
    each = -np.expm1(np.log1p(-level) / trials)
    return float(stats.chi2.isf(min(2 * each, 1.0), 1))


def familywise_p(
    p: Float[ndarray, " n"], n_voxels: int, *, sigma_px: Float[ndarray, " n"] | float
) -> Float64[ndarray, " n"]:
    """Give the chance that noise reaches as little anywhere in a search.

    A search over positions is like independent trials in number of the area over the
    square of the spot's size: 0.3 per pixel at 1.5 pixels.

    Parameters
    ----------
    p
        Chance at one place.
    n_voxels
        Pixels of all frames that are searched.
    sigma_px
        Standard deviation of the spots, in pixels.

    References
    ----------
    Notes on algorithms, section 28.3.
    """
    trials = _TRIALS_PER_PX * n_voxels * (_TRIALS_SIGMA_PX / np.asarray(sigma_px)) ** 2
    with np.errstate(divide="ignore"):
        none = np.maximum(trials, 1.0) * np.log1p(-np.asarray(p, np.float64))
    anywhere: ndarray = -np.expm1(none)
    return anywhere
