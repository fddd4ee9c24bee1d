"""What an estimate invents where there is nothing, and whether it follows the dose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Real
from numpy import ndarray

from napari_lowdose.benchmarks.quality.stacks import (
    DevelopmentStack,
    Recipe,
    simulated_stack,
)
from napari_lowdose.config import Plane
from napari_lowdose.particles import (
    Polarity,
    detect,
    expected_evidence,
    familywise_threshold,
    local_intensity,
)

Estimate = tuple[Real[ndarray, "t y x"], Mapping[Plane, ndarray]]
Denoise = Callable[[ndarray], Estimate]

_FIRST_SEED = 9201
_SIGMAS_PX = (1.5, 2.5, 4.0)
# The aperture of the summed signal, in pixels beyond a particle's radius.
_APERTURE_PX = 3.0


@dataclass(frozen=True)
class Flat:
    """A movie of nothing but noise.

    Parameters
    ----------
    name
        Kind and strength of its noise.
    noisy
        Counts (t, y, x).
    variance
        Of the noise, in quanta per pixel; for counted quanta also their mean.
    """

    name: str
    noisy: Float32[ndarray, "t y x"]
    variance: float


def flat_movies(
    n_movies: int, *, shape: tuple[int, int, int] = (48, 128, 128)
) -> Iterator[Flat]:
    """Make movies of pure noise: Poisson of several doses, and Gaussian, in turn.

    Parameters
    ----------
    n_movies
        How many; in each four, three are counted, with 0.3, 1 and 10 quanta per pixel,
        and one is of a camera with Gaussian noise of 5 counts around 200.
    shape
        Frames, rows and columns.
    """
    for number in range(n_movies):
        rng = np.random.default_rng(_FIRST_SEED + number)
        mean = (0.3, 1.0, 10.0, None)[number % 4]
        if mean is None:
            noisy = rng.normal(200.0, 5.0, shape)
            yield Flat("Gaussian 5", noisy.astype(np.float32), 25.0)
        else:
            counts = rng.poisson(mean, shape)
            yield Flat(f"Poisson {mean:g}", counts.astype(np.float32), mean)


def judge_flat(movie: Flat, fused: Real[ndarray, "t y x"]) -> dict[str, float]:
    """Measure what an estimate makes of pure noise.

    A **false particle** is a spot of the estimate, bright or dark, so strong that if it
    were real, the raw counts of its frame alone would be expected to prove it. A spot
    with the response `R` at the scale `s` is read as a Gaussian of the height ``2 R``
    and the deviation `s` on the movie's level; its evidence ``E[2L]`` in raw counts
    (`napari_lowdose.particles.expected_evidence`) is compared with what pure noise
    reaches somewhere in one of 20 such movies: 18.2 for a frame of 128 x 128 pixels,
    25.6 for 48 of them.

    Returns
    -------
    dict
        ``std share``, the deviation of the estimate over that of the noise, and the
        number of ``false particles``.
    """
    found = detect(fused, sigmas_px=_SIGMAS_PX, polarity=Polarity.BOTH)
    evidence = expected_evidence(
        2 * found["response"].to_numpy(float),
        found["sigma"].to_numpy(float),
        movie.variance,
    )
    proof = familywise_threshold(movie.noisy.size)
    return {
        "std share": float(fused.std(dtype=np.float64) / movie.noisy.std()),
        "false particles": float(np.sum(evidence >= proof)),
    }


def dose_response(denoise: Denoise, recipe: Recipe, *, small: bool = False) -> float:
    """Compare the summed signal of particles at twice the dose with that at the dose.

    The signal of a particle is what is in its disc, 3 pixels wider than the particle,
    above the median of the ring around it.

    Returns
    -------
    float
        Ratio of the signals summed over all particles and frames: 2, within the 2 or 3
        per cent by which the recorded signals themselves are uncertain.
    """
    signals = []
    for dose in (recipe.dose, 2 * recipe.dose):
        stack = simulated_stack(replace(recipe, dose=dose), small=small)
        signals.append(summed_signal(stack, denoise(stack.noisy)[0]))
    return signals[1] / signals[0]


def summed_signal(stack: DevelopmentStack, estimate: Float[ndarray, "t y x"]) -> float:
    """Add up the signals of all visible particles."""
    visible = stack.particles[stack.particles["visible"].to_numpy(bool)]
    wide = visible["radius"] + _APERTURE_PX
    mean = local_intensity(estimate, visible.assign(radius=wide))
    return float(np.sum(mean * wide.to_numpy(float) ** 2))
