"""How much of what varies in a stack is noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real
from numpy import ndarray


def noise_share(stack: Real[ndarray, "t y x"]) -> float:
    """Estimate the share of a stack's deviation that is noise, from 0 to 1.

    Neighbouring frames (columns, when there is one frame) show nearly the same scene,
    so their difference is mostly noise; what moves or is sharp counts as noise too.
    """
    axis = 0 if stack.shape[0] > 1 else 2
    sample = stack[:64].astype(np.float64)
    noise = np.sqrt(np.mean(np.diff(sample, axis=axis) ** 2) / 2)
    return float(min(noise / max(sample.std(), 1e-300), 1.0))
