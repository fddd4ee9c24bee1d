"""Movies with known particles, on which trust is calibrated and measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float32
from numpy import ndarray

from napari_lowdose.noise import Noise, Poisson, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst

# Below 8000: trainings draw other ones, and the development set begins at 9000.
CALIBRATION_SEED = 7000
UNSEEN_SEED = 7600
# Quanta per pixel and frame.
DOSES = (0.15, 20.0)


@dataclass(frozen=True)
class CountedMovie:
    """Poisson counts of a catalyst movie, and what they are of.

    Parameters
    ----------
    name
        Seed and dose.
    noisy, truth
        Recorded and expected quanta (t, y, x).
    particles
        As in `napari_lowdose.specimens.Scene`.
    """

    name: str
    noisy: Float32[ndarray, "t y x"]
    truth: Float32[ndarray, "t y x"]
    particles: pd.DataFrame


def calibration_movies(
    n_movies: int, *, frames: int = 64, size: int = 128
) -> Iterator[CountedMovie]:
    """Make movies of all doses, from 0.15 to 20 quanta per pixel and frame.

    Parameters
    ----------
    n_movies
        How many; their doses are spaced evenly in the logarithm.
    frames, size
        Of each, in frames and pixels.
    """
    # Any few movies in a row are of all doses: steps of the golden section.
    place = (np.arange(n_movies) * (np.sqrt(5) - 1) / 2) % 1
    low, high = np.log(DOSES)
    for number, dose in enumerate(np.exp(low + place * (high - low))):
        yield counted_movie(CALIBRATION_SEED + number, float(dose), frames, size)


def unseen_movies(
    dose: float,
    n_movies: int,
    *,
    first_seed: int = UNSEEN_SEED,
    frames: int = 64,
    size: int = 128,
) -> Iterator[CountedMovie]:
    """Make movies of one dose that no calibration has seen."""
    for number in range(n_movies):
        yield counted_movie(first_seed + number, dose, frames, size)


def counted_movie(
    seed: int, dose: float, frames: int = 64, size: int = 128
) -> CountedMovie:
    """Make a movie of particles that are still or move, blink and come and go."""
    scene = SPECIMENS["catalyst"].render(drawn_catalyst(seed, frames, size))
    noise = Noise(dose=dose, stages=(Poisson(),), seed=seed)
    noisy, truth = add_noise(scene.stack, noise)
    return CountedMovie(
        f"{seed} at {dose:.3g}",
        noisy.read().astype(np.float32),
        truth.read().astype(np.float32),
        scene.particles,
    )


def drawn_catalyst(seed: int, frames: int = 64, size: int = 128) -> Catalyst:
    """Draw size, contrast, number and motion of particles, and their film."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    radius = between(2.0, 5.0)
    room = 0.15 * size**2 / (np.pi * radius**2)
    return Catalyst(
        frames=frames,
        size=size,
        seed=seed,
        radius_px=radius,
        n_particles=max(round(min(between(8, 40) * (size / 128) ** 2, room)), 1),
        contrast=between(0.8, 4.0),
        motion_px=between(0.03, 1.5),
        drift_px=between(0.01, 0.3),
        hop_rate=between(0.001, 0.01),
        blink_rate=between(0.003, 0.05),
        birth_rate=float(rng.uniform(0, 0.3)) * (size / 128) ** 2,
        carbon_texture=between(0.02, 0.15),
        carbon_texture_px=between(3, 15),
        carbon_ramp=float(rng.uniform(0, 0.4)),
        probe_px=float(rng.uniform(0.6, 1.2)),
        facets=float(rng.uniform(0, 0.6)),
    )
