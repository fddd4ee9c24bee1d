"""Brightness of particles above what is around them, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Real
from numpy import ndarray

from napari_lowdose.particles.windows import pixels_around, square

# The ring around a particle, in pixels beyond its radius.
_RING_PX = (2.0, 5.0)
_FEW_VOXELS = 2_000_000  # gathered at once
# On a ground without any quanta a single one would be evidence.
_DARKEST = 0.01


def local_intensity(
    stack: Real[ndarray, "t y x"], particles: pd.DataFrame
) -> Float64[ndarray, " n"]:
    """Measure how much brighter each particle is than the ring around it.

    It is the mean over the disc of the particle's radius minus the median over the ring
    from 2 to 5 pixels outside of it, in counts; both without what is off the frame.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    particles
        One row per particle and frame: frame, y, x, radius, in frames and pixels, as in
        `napari_lowdose.specimens.Scene.particles`.

    References
    ----------
    Notes on algorithms, section 27.
    """
    found = [
        np.nanmean(np.where(disc, values, np.nan), axis=1) - background
        for values, disc, background in _apertures(stack, particles)
    ]
    return np.concatenate([np.empty(0), *found])


def evidence_of(
    electrons: Float[ndarray, "t y x"], particles: pd.DataFrame
) -> Float64[ndarray, " n"]:
    """Expect twice the log-likelihood ratio of each particle in its single frame.

    ``E[2L] = 2 sum(l ln(l / b) - l + b)`` over the particle's disc and a rim of 2
    pixels, with the expected quanta `l` and the median `b` of the ring around it.
    Particles with less than 4 cannot be told from noise in one frame, by anybody.

    Parameters
    ----------
    electrons
        Expected quanta (t, y, x), above or at zero.
    particles
        As in `local_intensity`.

    References
    ----------
    Notes on algorithms, sections 26.1 and 28.1.
    """
    found = []
    for values, disc, background in _apertures(electrons, particles, rim_px=2.0):
        b = np.maximum(background, _DARKEST)[:, None]
        expected = np.maximum(values, 1e-12)
        each = expected * np.log(expected / b) - expected + b
        found.append(2 * np.sum(np.where(disc, each, 0.0), axis=1))
    return np.concatenate([np.empty(0), *found])


Aperture = tuple[Float64[ndarray, "n p"], Bool[ndarray, "n p"], Float64[ndarray, " n"]]


def _apertures(
    stack: ndarray, particles: pd.DataFrame, *, rim_px: float = 0.0
) -> Iterator[Aperture]:
    """Gather, for some particles at once, pixels, disc and the ring's median."""
    frame = particles["frame"].to_numpy(np.int64)
    centre = particles[["y", "x"]].to_numpy(np.float64)
    radius = particles["radius"].to_numpy(np.float64)
    if not len(frame):
        return
    reach = int(np.ceil(radius.max() + _RING_PX[1] + 1))
    offsets = square(reach)
    at_once = max(_FEW_VOXELS // offsets.shape[1], 1)
    for start in range(0, len(frame), at_once):
        some = slice(start, start + at_once)
        yield _gather(stack, frame[some], centre[some], radius[some], offsets, rim_px)


def _gather(
    stack: ndarray,
    frame: ndarray,
    centre: ndarray,
    radius: ndarray,
    offsets: ndarray,
    rim_px: float,
) -> Aperture:
    inside, y, x = pixels_around(centre, offsets, stack.shape[1:])
    values = stack[frame[:, None], y, x].astype(np.float64)
    away = np.hypot(y - centre[:, :1], x - centre[:, 1:])
    # However small a particle is, the pixel that it is in belongs to it.
    disc = inside & (away <= np.maximum(radius, 0.75)[:, None] + rim_px)
    beyond = away - radius[:, None]
    ring = inside & (beyond >= _RING_PX[0]) & (beyond <= _RING_PX[1])
    background = np.nanmedian(np.where(ring, values, np.nan), axis=1)
    return values, disc, background
