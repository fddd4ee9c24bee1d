"""What a denoiser invents: the same movie without its particles, denoised as well."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float32, Real
from numpy import ndarray

from napari_lowdose.config import Polarity
from napari_lowdose.denoiser import Progress, part_of
from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.noise.unit_notes import frames_share_noise
from napari_lowdose.particles.detection import SIGMAS_PX, detect, response_noise
from napari_lowdose.trust.disagreement import Denoising
from napari_lowdose.trust.maps import background_of, recorded_again
from napari_lowdose.trust.null_report import NullReport

Find = Callable[[ndarray], pd.DataFrame]

_PARTICLE_PX = 8.0


def same_threshold(
    estimate: Real[ndarray, "t y x"],
    n_std: float,
    *,
    sigmas_px: Sequence[float] = SIGMAS_PX,
    polarity: Polarity = Polarity.BRIGHT,
) -> Find:
    """Make a search for spots whose thresholds are those of one estimate, in counts.

    `napari_lowdose.particles.detect_above` asks each stack for its own fluctuations,
    which are smaller where there are no particles; what a denoiser invents is to be
    counted with the thresholds of the movie that it is compared with.

    Parameters
    ----------
    estimate
        What the thresholds come from; counts of shape (t, y, x).
    n_std, sigmas_px, polarity
        As in `napari_lowdose.particles.detect_above`, which finds the same spots in
        this estimate.
    """
    noise = dict(zip(sigmas_px, response_noise(estimate, sigmas_px), strict=True))

    def find(stack: ndarray) -> pd.DataFrame:
        lowest = n_std * float(min(noise.values()))
        found = detect(stack, sigmas_px=sigmas_px, polarity=polarity, threshold=lowest)
        above = found["response"].abs() / found["sigma"].map(noise).clip(lower=1e-300)
        strong = found.assign(n_std=above.astype(np.float64))
        kept: pd.DataFrame = strong[strong["n_std"] > n_std]
        return kept.reset_index(drop=True)

    return find


def null_movie(
    counts: Real[ndarray, "t y x"],
    estimate: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
    rng: np.random.Generator,
    *,
    find: Find | None = None,
    particle_px: float = _PARTICLE_PX,
) -> tuple[Real[ndarray, "t y x"], Float32[ndarray, "t y x"]]:
    """Simulate what the detector would record of the background alone.

    Parameters
    ----------
    counts
        The movie as recorded, (t, y, x); whole numbers give whole numbers.
    estimate
        What was made of it, in the same counts.
    measurement
        The detector of the movie. Noise that pixels or frames share is not simulated.
    rng
        Where the noise comes from.
    find
        A search for spots; the background is made wider, and at last even, until
        nothing is found in it.
    particle_px
        Radius of the largest particles, in pixels.

    Returns
    -------
    movie, background
        Of the type of `counts`, and its expected counts.
    """
    background = _empty_background(estimate, find, particle_px)
    # No detector shows less than its offset on average.
    if measurement.gain.value > 0:
        np.maximum(background, np.float32(measurement.offset.value), out=background)
    movie = recorded_again(background, measurement, rng, like=counts.dtype)
    return movie, background


def _empty_background(
    estimate: Real[ndarray, "t y x"], find: Find | None, particle_px: float
) -> Float32[ndarray, "t y x"]:
    """Widen the background until nothing is found in it."""
    while particle_px < max(estimate.shape[1:]) / 2:
        background = background_of(estimate, particle_px=particle_px)
        if find is None or find(background).empty:
            return background
        particle_px *= 2
    even = np.median(estimate, axis=(1, 2), keepdims=True).astype(np.float32)
    return np.broadcast_to(even, estimate.shape).copy()


@dataclass(frozen=True)
class NullTest:
    """What came of a null test.

    Parameters
    ----------
    report
        The counts.
    movie, background, estimate
        The last movie of pure noise, what it was made of and what was made of it, in
        counts, of shape (t, y, x).
    """

    report: NullReport
    movie: Real[ndarray, "t y x"]
    background: Float32[ndarray, "t y x"]
    estimate: Real[ndarray, "t y x"]


def null_testing(
    denoising: Denoising,
    counts: Real[ndarray, "t y x"],
    estimate: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
    *,
    find: Find,
    n_movies: int = 1,
    rng: np.random.Generator,
) -> Generator[Progress, None, NullTest]:
    """Denoise movies of pure noise and count what is found in them.

    Parameters
    ----------
    denoising
        What made the estimate, as `napari_lowdose.denoiser.Denoiser.denoising`.
    counts, estimate
        The real movie and its estimate, (t, y, x), in counts.
    measurement
        The detector of the movie.
    find
        The search for spots, with thresholds in counts that do not depend on the stack
        (`same_threshold`).
    n_movies
        Movies of pure noise.
    rng
        Where the noise comes from.

    Returns
    -------
    NullTest
        The generator yields the denoiser's progress over all movies and returns this.

    References
    ----------
    Notes on algorithms, section 26.
    """
    tables = []
    for number in range(n_movies):
        movie, background = null_movie(counts, estimate, measurement, rng, find=find)
        denoised = yield from part_of(denoising(movie), number, n_movies)
        tables.append(find(denoised.fused).assign(movie=number))
    report = NullReport(
        n_frames=len(counts),
        n_movies=n_movies,
        invented=pd.concat(tables, ignore_index=True),
        real=find(np.asarray(estimate)),
        notes=tuple(_lacks(measurement)),
    )
    return NullTest(report, movie, background, denoised.fused)


def _lacks(measurement: NoiseMeasurement) -> Iterator[str]:
    """Say what the noise of the null movie does not have."""
    if measurement.correlated or frames_share_noise(measurement):
        yield (
            "The movie's pixels or frames share noise, those of the null movie do not: "
            "in the movie itself more is invented."
        )
