"""What counts still tell of an estimate: how strong it should be, and what it lacks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Float64
from numpy import ndarray
from scipy.fft import dctn, idctn

from napari_lowdose.classical.bands import Bands
from napari_lowdose.classical.usual_range import usual_range
from napari_lowdose.classical.wiener import filter_spectrum, noise_power

# Of a residual's power: if more of it stands out, its noise is not white. Of twelve
# movies at most 0.0006 did; of those with noise shared by neighbours, 0.003 to 0.12.
_MOST_LEFT = 1e-3
# Chosen on 12 movies of the benchmark; 98 others gained a tenth of a decibel by them.
_BANDS = 8, 12  # along time, across the frame
_USUAL = 0.06  # by which gains differ from 1
_NOISE_ERROR = 0.05  # of the noise's power, should it not be quite white
_LEAST, _MOST = 0.8, 1.25
_SIGMAS = 3.0


def completed(
    estimate: Float[ndarray, "t y x"], residual: Float[ndarray, "t y x"]
) -> Float[ndarray, "t y x"]:
    """Give an estimate the contrast that the counts tell, and what it lacks of them.

    Noise is independent of the scene, so that an estimate of least error has as much in
    common with the counts as the scene has with itself: the power of the counts above
    that of their noise. So much more or less is taken of each band of frequencies.
    Then the residual should be noise, and what stands out of it, as the Wiener filter
    finds it, is added. Nothing is done if more than a thousandth of its power does: the
    noise is not white then, as both take it to be.

    Parameters
    ----------
    estimate
        Of a stack, of shape (t, y, x), float32.
    residual
        The stack less the estimate, float32.

    Returns
    -------
    ndarray
        The estimate, better if it can be, float32. The memory of both is used, and what
        they held is lost.

    References
    ----------
    The rule of iterated means: E[f y] = E[x y] = E[x x] for f the mean of x given y,
    all around zero, and y less x independent of x.
    """
    mean = np.float32(estimate.mean(dtype=np.float64))
    estimate -= mean
    residual -= np.float32(residual.mean(dtype=np.float64))
    np.clip(residual, *usual_range(residual), out=residual)
    seen, left = (
        dctn(part, norm="ortho", workers=-1, overwrite_x=True)
        for part in (estimate, residual)
    )
    power = np.vdot(left, left)
    bands = Bands.of(seen.shape, _BANDS)
    more = _surplus(seen, left, bands)[:, bands.across]
    for frame, beside, band in zip(seen, left, bands.along, strict=True):
        beside -= more[band] * frame
    filter_spectrum(left)
    if np.vdot(left, left) <= _MOST_LEFT * power:
        for frame, beside, band in zip(seen, left, bands.along, strict=True):
            frame *= 1 + more[band]
            frame += beside
    result: ndarray = idctn(seen, norm="ortho", workers=-1, overwrite_x=True)
    result += mean
    return result


def _surplus(
    seen: Float32[ndarray, "t y x"], left: Float32[ndarray, "t y x"], bands: Bands
) -> Float32[ndarray, "m n"]:
    """Tell which share of itself each band of an estimate's spectrum lacks."""
    noise, count = noise_power(left), bands.counts()
    own = bands.products(seen, seen)
    both = own + bands.products(seen, left)
    whole = 2 * both - own + bands.products(left, left)
    scene = whole - noise * count
    there = (scene > 0) & (both > 0)
    gains = np.ones_like(scene)
    np.divide(scene, both, out=gains, where=there)
    surplus = np.clip(gains, _LEAST, _MOST) - 1
    surplus *= _trust(noise * count, scene, count, there)
    gains = 1 + surplus
    # Where more than noise would be left all the same, contrast is not what is wrong.
    rest = whole - 2 * gains * both + np.square(gains) * own
    most = noise * (count * (1 + _NOISE_ERROR) + _SIGMAS * np.sqrt(2 * count))
    surplus[rest > most] = 0
    told: ndarray = surplus.astype(np.float32)
    return told


def _trust(
    noise: Float64[ndarray, "m n"],
    scene: Float64[ndarray, "m n"],
    count: Float64[ndarray, "m n"],
    there: ndarray,
) -> Float64[ndarray, "m n"]:
    """Weigh what is usual for gains against the chance that the noise's power has."""
    chance = np.zeros_like(scene)
    np.divide(2, count, out=chance, where=there)
    std = np.full_like(scene, np.inf)
    np.divide(noise, scene, out=std, where=there)
    std *= np.sqrt(chance) + _NOISE_ERROR
    share: ndarray = _USUAL**2 / (_USUAL**2 + np.square(std))
    return share
