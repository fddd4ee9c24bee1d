"""What is compared: filters tuned by the truth, and the U-Net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.benchmarks.table1.movies import Movie
from napari_lowdose.classical import BASELINES, tune
from napari_lowdose.config import Plane, Training
from napari_lowdose.normalization import Normalizer
from napari_lowdose.planes import slices, unslice
from napari_lowdose.training import Example, fit, prepare

# The movies of the training part, nearest in noise, by which a filter is tuned.
_NEAREST = 16


def filtered(
    name: str, train: Sequence[Movie], test: Sequence[Movie], plane: Plane
) -> Iterator[ndarray]:
    """Filter the test movies, tuned by the truth of training movies of their noise."""
    strengths: dict[tuple[int, int], Mapping[str, float]] = {}
    for level in {movie.level for movie in test}:
        doses = [movie.dose for movie in test if movie.level == level]
        middle = np.exp(np.mean(np.log(doses)))
        alike = sorted(
            (movie for movie in train if movie.kind == level[0]),
            key=lambda movie: abs(np.log(movie.dose / middle)),
        )[:_NEAREST]
        noisy = np.stack([_middle(movie.noisy, plane) for movie in alike])
        truth = np.stack([_middle(movie.truth, plane) for movie in alike])
        strengths[level] = tune(BASELINES[name], noisy, truth=truth).settings
    for movie in test:
        seen = slices(movie.noisy, plane)
        yield unslice(BASELINES[name].denoise(seen, strengths[movie.level]), plane)


def _middle(stack: ndarray, plane: Plane) -> ndarray:
    images = slices(stack, plane)
    middle: ndarray = images[len(images) // 2]
    return middle


def filtered_by_own_truth(
    name: str, test: Sequence[Movie], plane: Plane
) -> Iterator[ndarray]:
    """Filter each test movie at the strength that its own truth tells."""
    for movie in test:
        seen, truth = slices(movie.noisy, plane), slices(movie.truth, plane)
        best = tune(BASELINES[name], seen, truth=truth).settings
        yield unslice(BASELINES[name].denoise(seen, best), plane)


def denoised(
    train: Sequence[Movie], test: Sequence[Movie], training: Training
) -> Iterator[ndarray]:
    """Train one U-Net on the training movies, and denoise the test movies."""
    run, split = prepare([Example(m.noisy, m.truth) for m in train], training)
    # By its own deviation, a noisy movie would weigh less in the loss than in the
    # error that is compared.
    split = replace(
        split,
        train=tuple(replace(p, normalizer=_by_mean(p.noisy)) for p in split.train),
        valid=tuple(replace(p, normalizer=_by_mean(p.noisy)) for p in split.valid),
    )
    for _ in fit(run, split):
        pass
    for movie in test:
        yield run.denoiser(_by_mean(movie.noisy))(movie.noisy)


def _by_mean(noisy: Real[ndarray, "t y x"]) -> Normalizer:
    """Scale by the mean brightness, as these movies have no offset."""
    mean = Normalizer.fit(noisy).mean
    return Normalizer(mean, mean)
