"""The error of an estimate, from counts that were held out of it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real
from numpy import ndarray


def thinned_mse(
    estimate: Real[ndarray, "*shape"],
    held_out: Real[ndarray, "*shape"],
    *,
    fraction: float,
) -> float:
    """Estimate the mean squared error against the unknown truth, without bias.

    The held-out part of a thinned Poisson movie is an independent noisy copy of the
    truth, whose own variance is known from its mean and is taken off.

    Parameters
    ----------
    estimate
        What a method makes of the kept part divided by `fraction`, in electrons at the
        full dose.
    held_out
        The other part as `napari_lowdose.noise.thin` gives it, in electrons.
    fraction
        Share of the electrons in the kept part, between 0 and 1.

    Returns
    -------
    float
        In electrons squared; near zero it may be slightly negative. It judges the
        method at `fraction` of the dose, so it is above the error at the full dose.

    References
    ----------
    A. Marcos Morales et al., Proc. ICML (2023), unsupervised MSE; it needs three more
    noisy copies, where for Poisson counts, whose variance is their mean, one will do.
    """
    share = 1 - fraction
    difference = held_out / np.float64(share) - estimate
    variance = float(held_out.mean(dtype=np.float64)) / share**2
    return float(np.mean(difference**2)) - variance
