"""Ostwald ripening: large particles grow at the cost of small ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray


def ripened(
    radius: Float[ndarray, " n"],
    busy: Bool[ndarray, " n"],
    *,
    rate: float,
    mean: float,
    least: float,
) -> tuple[Float[ndarray, " n"], Bool[ndarray, " n"]]:
    """Let particles exchange metal for one frame; all volume stays.

    dr/dt = K / r^2 (1 / r_c - 1 / r), where 1 / r_c is the mean of 1 / r. Stepped in
    r^4, which shrinks evenly to nothing.

    Parameters
    ----------
    radius
        Of all particles that take part, in pixels.
    busy
        Who does not vanish, however small.
    rate
        Share by which a particle of half the mean radius shrinks.
    mean, least
        The mean radius, and that below which a particle vanishes, in pixels.

    Returns
    -------
    radius, kept
        New radii, also of those that vanish, and who does not.

    References
    ----------
    I. M. Lifshitz and V. V. Slyozov, J. Phys. Chem. Solids 19, 35 (1961).
    """
    constant = 2 * rate * (mean / 2) ** 4
    fourth = radius**4 + 4 * constant * (radius * (1 / radius).mean() - 1)
    new: ndarray = np.maximum(fourth, (least / 2) ** 4) ** 0.25
    kept = busy | (new > least)
    if not kept.any():
        return radius, np.ones(len(radius), bool)
    return new * np.cbrt((radius**3).sum() / (new[kept] ** 3).sum()), kept
