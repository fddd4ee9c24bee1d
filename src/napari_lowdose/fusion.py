"""One estimate from the estimates of several planes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Fusion, Plane

Estimates = Mapping[Plane, Float[ndarray, "t y x"]]


def fuse(estimates: Estimates, fusion: Fusion = Fusion.MEAN) -> Float[ndarray, "t y x"]:
    """Combine the planes' estimates of one stack.

    Parameters
    ----------
    estimates
        At least one estimate, float32 of shape (t, y, x), by plane.
    fusion
        The rule; so far the plain mean.

    References
    ----------
    Tri-directional denoising of time-series images, section 3.2.
    """
    first, *others = estimates.values()
    fused: ndarray = first.astype(np.float32, copy=True)
    for estimate in others:
        fused += estimate
    fused /= len(estimates)
    return fused
