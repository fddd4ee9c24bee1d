"""Maps of a whole movie: what is left over, what is behind, what noise could be."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float32, Real
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.noise import NoiseMeasurement, Poisson, Readout
from napari_lowdose.particles import likelihood_map
from napari_lowdose.trust.checks import electrons_of

# In a darker place a single quantum would stand out as if it were many.
_LEAST_QUANTA = 0.01
_PARTICLE_PX = 8.0
_WINDOW_BLOCKS = 9  # of half a particle's radius: a particle fills a sixth of it


def residual(
    counts: Real[ndarray, "t y x"],
    estimate: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
) -> Float32[ndarray, "t y x"]:
    """Give what an estimate leaves of the counts, in units of the noise.

    It is ``(counts - estimate) / sqrt(gain (estimate - offset) + readout_std^2)``,
    with at least 0.01 quanta. Noise alone has a deviation of 1 and no shapes in it;
    below about one quantum it is skewed.

    Parameters
    ----------
    counts, estimate
        Of shape (t, y, x), in counts.
    measurement
        The detector.
    """
    gain, offset, readout_std = _detector(measurement)
    left = np.empty(counts.shape, np.float32)
    for raw, seen, out in zip(counts, estimate, left, strict=True):
        above = np.maximum(seen.astype(np.float64) - offset, _LEAST_QUANTA * gain)
        variance = np.maximum(gain * above + readout_std**2, 1e-300)
        out[:] = (raw - seen.astype(np.float64)) / np.sqrt(variance)
    return left


def likelihood(
    counts: Real[ndarray, "t y x"],
    estimate: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    measurement: NoiseMeasurement,
) -> Float32[ndarray, "t y x"]:
    """Show how much better the counts agree with each spot than with the ground.

    As `napari_lowdose.particles.likelihood_map`, in nats per pixel; the ground is the
    median of the estimate, of 0.01 quanta or more. The counts have made the estimate,
    so that this guards against invented shapes, not against clusters of noise.

    Parameters
    ----------
    counts, estimate
        Of shape (t, y, x), in counts.
    spots
        One row per spot: frame, y, x, sigma.
    measurement
        The detector, whose gain is told.
    """
    electrons, _, _ = electrons_of(counts, measurement)
    seen, _, _ = electrons_of(estimate, measurement)
    background = max(float(np.median(seen)), _LEAST_QUANTA)
    return likelihood_map(electrons, seen, spots, background=background)


def _detector(m: NoiseMeasurement) -> tuple[float, float, float]:
    """Give gain, offset and readout noise; without any gain, the readout noise only."""
    return max(m.gain.value, 0.0), m.offset.value, max(m.readout_std.value, 0.0)


def recorded_again(
    expected: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
    rng: np.random.Generator,
    *,
    like: np.dtype | None = None,
) -> Real[ndarray, "t y x"]:
    """Draw what the detector could have recorded of expected counts.

    Parameters
    ----------
    expected
        Counts of shape (t, y, x); what is below the offset is taken to be dark.
    measurement
        The detector. What its pixels and frames share of their noise is not drawn.
    rng
        Where the noise comes from.
    like
        Type of the result: whole numbers are rounded, and cut off where it ends.
        None: float32.
    """
    gain, offset, readout_std = _detector(measurement)
    counts = np.zeros(expected.shape, np.float32)
    if gain:
        counts[:] = np.maximum(expected.astype(np.float64) - offset, 0) / gain
        counts = Poisson().record(counts, rng)
        detector = Readout(gain=gain, offset=offset, readout_std=readout_std)
        counts = detector.record(counts, rng)
    else:
        counts[:] = expected
        counts += readout_std * rng.standard_normal(counts.shape, np.float32)
    if like is None or like.kind not in "iu":
        return counts if like is None else counts.astype(like)
    # The readout noise was measured without what rounding adds to it.
    ends = np.iinfo(like)
    return np.rint(counts.astype(np.float64)).clip(ends.min, ends.max).astype(like)


def background_of(
    estimate: Real[ndarray, "t y x"], *, particle_px: float = _PARTICLE_PX
) -> Float32[ndarray, "t y x"]:
    """Take everything that is like a particle out of an estimate.

    Each frame becomes the median over windows of about nine half radii of a particle,
    smoothed by a Gaussian of one radius: lighting and what is as wide as it stays,
    bright and dark spots up to a particle's size go, with little regard to how many.

    Parameters
    ----------
    estimate
        Counts of shape (t, y, x), free of noise as far as may be.
    particle_px
        Radius of the largest particles, in pixels.
    """
    background = np.empty(estimate.shape, np.float32)
    height, width = estimate.shape[1:]
    block = max(particle_px / 2, 1.0)
    rows, columns = (max(round(n / block), 1) for n in (height, width))
    for frame, out in zip(estimate, background, strict=True):
        # Large offsets leave no room in single precision.
        level = float(frame.mean(dtype=np.float64))
        fine = (frame.astype(np.float64) - level).astype(np.float32)
        coarse = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
        middle = ndimage.median_filter(coarse, _WINDOW_BLOCKS, mode="reflect")
        wide = cv2.resize(middle, (width, height), interpolation=cv2.INTER_LINEAR)
        out[:] = level + cv2.GaussianBlur(
            wide, (0, 0), particle_px, borderType=cv2.BORDER_REFLECT
        )
    return background
