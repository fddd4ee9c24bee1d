"""From expected counts to a noisy stack."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.config import Noise, NoiseKind
from napari_lowdose.errors import UnusableStack
from napari_lowdose.stack import Stack

# numpy's Poisson sampler refuses means near the largest 64-bit integer; below this
# value neither it nor the float64 products around it overflow.
_LARGEST_MEAN = 1e12


def add_noise(clean: Stack, noise: Noise) -> tuple[Stack, Stack]:
    """Simulate what a detector records of a clean stack.

    Parameters
    ----------
    clean
        Brightness of shape (t, y, x), not negative; its mean is scaled to the dose.
    noise
        Kind of noise, dose, detector and seed.

    Returns
    -------
    noisy, truth
        Recorded and expected counts, both float32 in the detector's counts, so that
        the truth is the mean of the noisy stack over many seeds.

    Raises
    ------
    UnusableStack
        If the brightness is negative or not finite, or zero everywhere.
    """
    electrons = expected_electrons(clean.read(), dose=noise.dose)
    step = {"step": "add noise", **noise.model_dump(mode="json")}
    truth = electrons * noise.gain + noise.offset
    noisy = record(electrons, noise)
    return (
        clean.with_data(noisy.astype(np.float32), "noisy", step),
        clean.with_data(truth.astype(np.float32), "truth", step),
    )


def expected_electrons(
    brightness: Real[ndarray, "t y x"], *, dose: float
) -> Float[ndarray, "t y x"]:
    """Scale a brightness to a mean dose, in electrons per pixel per frame.

    Raises
    ------
    UnusableStack
        If a value is negative, or all are zero.
    """
    low = float(brightness.min())
    if low < 0:
        raise UnusableStack(
            f"expected counts of zero or more to add noise to, got {low:g}; "
            "subtract the detector's offset first"
        )
    mean = float(brightness.mean(dtype=np.float64))
    if mean == 0:
        raise UnusableStack(
            "expected some brightness to add noise to, got zero everywhere"
        )
    electrons = brightness.astype(np.float64)
    if dose:
        electrons *= dose / mean
    if electrons.max() > _LARGEST_MEAN:
        raise UnusableStack(
            f"expected at most {_LARGEST_MEAN:g} electrons in a pixel, got "
            f"{electrons.max():.3g}; lower the dose"
        )
    return electrons


def record(electrons: Float[ndarray, "t y x"], noise: Noise) -> Float[ndarray, "t y x"]:
    """Draw the counts that a detector shows for expected electrons."""
    # A stream of its own: specimens draw from the plain seed.
    rng = np.random.default_rng([noise.seed, 1])
    detected: ndarray = electrons
    if noise.kind is not NoiseKind.GAUSSIAN:
        detected = rng.poisson(electrons).astype(np.float64)
    counts: ndarray = detected * noise.gain + noise.offset
    if noise.kind is not NoiseKind.POISSON:
        counts += rng.normal(0.0, noise.readout_std, counts.shape)
    return counts
