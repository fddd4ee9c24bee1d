"""Ask a model what it makes of a movie's noise alone."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np

from napari_lowdose.applying import model_for, model_step
from napari_lowdose.config import Inspecting
from napari_lowdose.denoiser import Progress, part_of
from napari_lowdose.errors import UnusableStack
from napari_lowdose.stack import Stack
from napari_lowdose.trust.detector import detector_of
from napari_lowdose.trust.inspection import looked_for, sigmas_of
from napari_lowdose.trust.null_movie import null_testing, same_threshold
from napari_lowdose.trust.null_report import NullReport


@dataclass(frozen=True)
class NullTested:
    """What a model made of noise alone.

    Parameters
    ----------
    report
        How many particles it invents, and how many it shows in the movie itself.
    movies
        The last movie of pure noise, and what the model made of it.
    notes
        Sentences the user should read.
    """

    report: NullReport
    movies: Mapping[str, Stack]
    notes: tuple[str, ...]


def asking_noise(
    noisy: Stack, settings: Inspecting, *, model: str | os.PathLike[str] = "accurate"
) -> Generator[Progress, None, NullTested]:
    """Denoise noise of a movie's own kind on its background, without its particles.

    Parameters
    ----------
    noisy
        The raw counts, (t, y, x).
    settings
        What is looked for, and how many movies of noise are denoised.
    model
        The base model or model file to be tested.

    Returns
    -------
    NullTested
        The generator yields the model's progress and returns this.

    Raises
    ------
    UnusableStack
        If the noise of the stack cannot be read.
    CheckpointMismatch
        As `napari_lowdose.applying.model_for`.
    """
    counts = noisy.read()
    measurement, notes = detector_of(counts, settings.detector)
    if measurement is None:
        (reason,) = notes
        raise UnusableStack(f"expected noise to imitate, but {reason}")
    denoiser, more = model_for(model, noisy, settings.denoising)
    n_movies = settings.null_movies
    denoised = yield from part_of(
        denoiser.denoising(counts, each_plane=False), 0, 1 + n_movies
    )
    settings, what = looked_for(settings, denoised.fused)
    find = same_threshold(
        denoised.fused,
        settings.n_std,
        sigmas_px=sigmas_of(settings),
        polarity=settings.polarity,
    )
    steps = null_testing(
        denoiser.denoising,
        counts,
        denoised.fused,
        measurement,
        find=find,
        n_movies=n_movies,
        rng=np.random.default_rng(settings.seed),
    )
    tested = yield from part_of(steps, 1, 1 + n_movies, of=n_movies)
    step = {"step": "null test", "seed": settings.seed}
    made = {"step": "denoise", **model_step(model)}
    movie = noisy.with_data(tested.movie, "null movie", step)
    return NullTested(
        tested.report,
        {
            "null movie": movie,
            "null movie denoised": movie.with_data(tested.estimate, "denoised", made),
        },
        (*notes, *more, *what),
    )
