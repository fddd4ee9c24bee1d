"""Averaging pixels of a movie whose surroundings in space and time look alike."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float, Real
from numpy import ndarray
from skimage.restoration import denoise_nl_means

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.unit_noise import UnitNoise

_PATCH_PX, _REACH_PX = 5, 4


def denoise_nonlocal_means_3d(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Average pixels whose surroundings, 5 px and frames wide, look alike.

    Looked for are those up to 4 px and 4 frames away. What noise adds to the mean
    squared difference of surroundings is taken off.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``h``: root mean squared difference of surroundings, beyond that of the noise,
        that look alike; in standard deviations of the stack's noise.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, Image Process. On Line 1, 208 (2011); sums over
    surroundings by J. Darbon et al., Proc. ISBI, 1331 (2008).
    """
    scale = UnitNoise.of(stack)
    smooth = denoise_nl_means(
        scale.forward(stack),
        patch_size=_PATCH_PX,
        patch_distance=_REACH_PX,
        h=settings["h"],
        sigma=1.0,
        fast_mode=True,
    )
    # It drops axes of one frame, row or column.
    return scale.inverse(smooth.reshape(stack.shape))


NONLOCAL_MEANS_3D = Baseline(
    denoise=denoise_nonlocal_means_3d,
    settings={
        "h": Setting(
            coarse=(0.25, 0.5, 1.0),
            lowest=0.125,
            highest=4.0,
            sentence="Difference of surroundings that look alike, in units of noise.",
        )
    },
    summary="Average pixels whose surroundings in space and time look alike.",
    temporal=True,
    even_noise=True,
    bytes_per_voxel=40,
)
