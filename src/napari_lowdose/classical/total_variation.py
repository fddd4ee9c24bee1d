"""Smoothing that spares edges: least total variation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray
from skimage.restoration import denoise_tv_chambolle

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.unit_noise import UnitNoise


def denoise_total_variation(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Find the movie near the noisy one that varies least in space and time.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``weight``: how much variation costs against distance from the noisy counts, in
        standard deviations of the stack's noise.

    References
    ----------
    L. Rudin, S. Osher and E. Fatemi, Physica D 60, 259 (1992); A. Chambolle, J. Math.
    Imaging Vis. 20, 89 (2004).
    """
    scale = UnitNoise.of(stack)
    weight = np.float32(settings["weight"])
    smooth: Callable[..., ndarray] = denoise_tv_chambolle
    return scale.inverse(smooth(scale.forward(stack), weight=weight))


TOTAL_VARIATION = Baseline(
    denoise=denoise_total_variation,
    settings={
        "weight": Setting(
            coarse=(0.5, 1.0, 2.0),
            lowest=0.05,
            highest=32.0,
            sentence="Cost of variation in space and time, in units of noise.",
        )
    },
    summary="Find the movie near the noisy one that varies least in space and time.",
    temporal=True,
    even_noise=True,
    bytes_per_voxel=60,
)
