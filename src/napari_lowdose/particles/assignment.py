"""Which detection belongs to which particle."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.optimize import linear_sum_assignment

_OUT_OF_GATE = 1e6


def assign(
    position: Float[ndarray, "n 2"],
    gate: Float[ndarray, " n"],
    detected: Float[ndarray, "m 2"],
) -> Int[ndarray, "k 2"]:
    """Give each detection at most one particle, and the other way round.

    As many pairs as possible are made within the gates; among such assignments the one
    of the least sum of squared distances is taken.

    Parameters
    ----------
    position, gate
        Centres (y, x) of the particles and how far a detection may be, in pixels.
    detected
        Places (y, x) of the detections, in pixels.

    Returns
    -------
    Int[ndarray, "k 2"]
        Numbers of particle and detection, one row per pair.

    References
    ----------
    R. Jonker and A. Volgenant, Computing 38, 325 (1987); notes, section 26.1.
    """
    away = np.linalg.norm(position[:, None] - detected[None], axis=2)
    within = away <= gate[:, None]
    one, other = linear_sum_assignment(np.where(within, away**2, _OUT_OF_GATE))
    kept = within[one, other]
    return np.stack([one[kept], other[kept]], axis=1)
