"""What a base model learns from: noisy cubes in units of their noise, and the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from napari_lowdose.specimens.draws import log_uniform

# Kinds of noise: how often each is drawn.
_COUNTING, _READOUT, _EXCESS = 0.55, 0.25, 0.1  # the rest: Gaussian
# The noise of a stack is read off the stack, and not without error.
_STD_ERROR, _SLOPE_ERROR = 0.04, 0.15


@dataclass(frozen=True)
class Cubes:
    """Noisy cubes with their truth, both in units of the noise at the movie's mean.

    Parameters
    ----------
    noisy, truth
        Above the mean.
    slope
        Change of the noise's variance per unit of brightness.
    """

    noisy: Float[Tensor, "b t y x"]
    truth: Float[Tensor, "b t y x"]
    slope: Float[Tensor, "b 1 1 1"]


def add_drawn_noise(
    clean: Float[ndarray, "b t y x"],
    rng: np.random.Generator,
    doses: tuple[float, float],
) -> Cubes:
    """Draw a dose and a kind of noise for each cube of movies with a mean of 1.

    Quanta are counted alone, read out with noise, or multiplied (which doubles their
    variance); or the noise is Gaussian and alike everywhere.
    """
    noisy, truth, slopes = [], [], []
    for cube in clean:
        dose = log_uniform(rng, *doses)
        counts, expected, excess, readout = _exposed(cube, dose, rng)
        std = float(np.sqrt(excess * dose + readout**2))
        unit = std * float(np.exp(_STD_ERROR * rng.standard_normal()))
        noisy.append((counts - dose) / unit)
        truth.append((expected - dose) / unit)
        slopes.append(excess / std * np.exp(_SLOPE_ERROR * rng.standard_normal()))
    return Cubes(
        torch.from_numpy(np.stack(noisy).astype(np.float32)),
        torch.from_numpy(np.stack(truth).astype(np.float32)),
        torch.tensor(slopes, dtype=torch.float32).reshape(-1, 1, 1, 1),
    )


def _exposed(
    cube: Float[ndarray, "t y x"], dose: float, rng: np.random.Generator
) -> tuple[ndarray, ndarray, float, float]:
    """Expose a cube: counts, what was expected, variance per quantum, readout noise."""
    kind = rng.random()
    expected = dose * cube
    if kind >= _COUNTING + _READOUT + _EXCESS:
        std = float(np.sqrt(dose))
        noise = std * rng.standard_normal(cube.shape, dtype=np.float32)
        return expected + noise, expected, 0.0, std
    counts = rng.poisson(expected).astype(np.float32)
    if kind < _COUNTING:
        return counts, expected, 1.0, 0.0
    if kind < _COUNTING + _READOUT:
        std = float(np.sqrt(dose)) * log_uniform(rng, 0.1, 3)
        noise = std * rng.standard_normal(cube.shape, dtype=np.float32)
        return counts + noise, expected, 1.0, std
    return rng.standard_gamma(counts).astype(np.float32), expected, 2.0, 0.0
