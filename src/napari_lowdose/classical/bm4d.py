"""BM4D, for those who have installed it: its licence is not free."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.unit_noise import UnitNoise

INSTALLED = find_spec("bm4d") is not None


def denoise_bm4d(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Filter groups of similar cubes together, by the package ``bm4d``.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    settings
        ``strength``: by how much the noise is taken to be larger than it is found to
        be.

    References
    ----------
    M. Maggioni, V. Katkovnik, K. Egiazarian and A. Foi, IEEE Trans. Image Process. 22,
    119 (2013).
    """
    scale = UnitNoise.of(stack)
    package = import_module("bm4d")
    smooth = package.bm4d(scale.forward(stack), settings["strength"])
    return scale.inverse(np.asarray(smooth, np.float32))


BM4D = Baseline(
    denoise=denoise_bm4d,
    settings={
        "strength": Setting(
            coarse=(0.7, 1.0, 1.4),
            lowest=0.25,
            highest=4.0,
            sentence="By how much the noise is taken to be larger than it is found.",
        )
    },
    summary="Filter groups of similar cubes together (package bm4d, licence not free).",
    temporal=True,
    even_noise=True,
    bytes_per_voxel=100,
)
