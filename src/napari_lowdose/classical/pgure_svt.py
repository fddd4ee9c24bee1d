"""Singular values of moving patches, shrunk by as much as the noise asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Float32, Real
from numpy import ndarray

from napari_lowdose.classical.baseline import Baseline, Setting, check_frames
from napari_lowdose.classical.pgure import Probes
from napari_lowdose.classical.unit_noise import UnitNoise
from napari_lowdose.noise import NoiseUnits

_EDGE_PX, _FRAMES, _STEP_PX = 4, 15, 2
_LEAST_FRAMES = 5
# Thresholds that are tried, in units of what pure noise reaches.
_THRESHOLDS = tuple(2 ** (step / 2) for step in range(-3, 5))
# The part of a movie by which the threshold is chosen.
_SAMPLE_FRAMES, _SAMPLE_PX = 24, 80


def denoise_pgure_svt(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float]
) -> Float[ndarray, "t y x"]:
    """Shrink the singular values of patches that are followed through the movie.

    Patches of 4 x 4 px are followed over 15 frames. Each is a matrix of pixels and
    frames; noise spreads evenly over its singular values, while a specimen that keeps
    its look needs few. Its mean is left as it is.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x), 5 frames or more; computed in float32.
    settings
        ``threshold``: by how much singular values are lowered, in units of the largest
        one of pure noise. `pgure_of_thresholds` tells the error that each leaves.

    Raises
    ------
    UnusableStack
        If there are fewer than 5 frames.

    References
    ----------
    T. Furnival, R. K. Leary and P. A. Midgley, Ultramicroscopy 178, 112 (2017); "Notes
    on algorithms", section 11. There singular values are lowered by an exponential
    weight and the mean as well, which costs 9 dB at a count per pixel; and only the
    middle frame of a patch is kept.
    """
    check_frames(len(stack), _LEAST_FRAMES)
    scale = UnitNoise.of(stack)
    signal = scale.forward(stack)
    (estimate,) = _Followed(signal).estimates(signal, [settings["threshold"]])
    return scale.inverse(estimate)


def pgure_of_thresholds(
    stack: Real[ndarray, "t y x"], noise: NoiseUnits, rng: np.random.Generator
) -> dict[tuple[float, ...], float]:
    """Estimate the mean squared error of some thresholds without the truth.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); the middle 24 frames and 80 x 80 px are used.
    noise
        What is on them.
    rng
        Of the risk estimate.

    Returns
    -------
    dict
        Risk in counts squared, by (threshold,).
    """
    check_frames(len(stack), _LEAST_FRAMES)
    sample = stack[_middle(stack.shape)]
    scale = UnitNoise.of(sample)
    probes = Probes.drawn(sample, noise, rng)
    # Where patches go is taken to be known: it hardly hangs on a single pixel.
    followed = _Followed(scale.forward(sample))
    estimates = [
        followed.estimates(scale.forward(moved), _THRESHOLDS)
        for moved in probes.moved()
    ]
    risks: dict[tuple[float, ...], float] = {}
    for number, threshold in enumerate(_THRESHOLDS):
        made = [scale.mean + scale.std * of_all[number] for of_all in estimates]
        risks[float(f"{threshold:.4g}"),] = probes.risk(made)
    return risks


class _Followed:
    """The patches of a movie, followed; torch is read when they are."""

    def __init__(self, signal: Float32[ndarray, "t y x"]) -> None:
        from napari_lowdose.classical.casorati import Patches
        from napari_lowdose.classical.patch_matching import followed_motion

        motion = followed_motion(signal)
        self._patches = Patches(signal.shape, _EDGE_PX, _FRAMES, _STEP_PX, motion)

    def estimates(
        self, signal: Float32[ndarray, "t y x"], thresholds: Sequence[float]
    ) -> Float32[ndarray, "k t y x"]:
        from napari_lowdose.classical.casorati import shrunk

        return shrunk(signal, self._patches, thresholds)


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Cut the part out of the middle by which the threshold is chosen."""
    most = (_SAMPLE_FRAMES, _SAMPLE_PX, _SAMPLE_PX)
    starts = [max(n - size, 0) // 2 for n, size in zip(shape, most, strict=True)]
    return tuple(slice(a, a + n) for a, n in zip(starts, most, strict=True))


PGURE_SVT = Baseline(
    denoise=denoise_pgure_svt,
    settings={
        "threshold": Setting(
            coarse=(0.5, 1.0, 2.0),
            lowest=0.125,
            highest=8.0,
            sentence="What singular values lose, over the largest of pure noise.",
        )
    },
    summary="Shrink the singular values of patches followed through the movie.",
    temporal=True,
    even_noise=True,
    judge=pgure_of_thresholds,
    least_frames=_LEAST_FRAMES,
    bytes_per_voxel=40,
)
