"""What is compared: filters tuned by the truth, and the U-Net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.benchmarks.table1.movies import POISSON, Level, Movie
from napari_lowdose.classical import BASELINES, Baseline, stabilized, tune
from napari_lowdose.config import Plane, Training
from napari_lowdose.noise import NoiseUnits
from napari_lowdose.normalization import Normalizer
from napari_lowdose.planes import slices, unslice
from napari_lowdose.training import Example, fit, prepare

# The movies of the training part, nearest in noise, by which a filter is tuned.
_NEAREST = 16


def filtered(
    name: str, train: Sequence[Movie], test: Sequence[Movie], plane: Plane
) -> Iterator[ndarray]:
    """Filter the test movies, tuned by the truth of training movies of their noise."""
    strengths: dict[Level, Mapping[str, float]] = {}
    for level, alike in _alike(train, test):
        noisy = np.stack([_middle(movie.noisy, plane) for movie in alike])
        truth = np.stack([_middle(movie.truth, plane) for movie in alike])
        strengths[level] = tune(BASELINES[name], noisy, truth=truth).settings
    for movie in test:
        seen = slices(movie.noisy, plane)
        yield unslice(BASELINES[name].denoise(seen, strengths[movie.level]), plane)


def filtered_as_movies(
    name: str, train: Sequence[Movie], test: Sequence[Movie]
) -> Iterator[ndarray]:
    """Filter whole test movies, tuned by the truth of the training movie next in noise.

    These filters see every frame, where the others see one image: what they gain is
    what the frames beside it are worth. Poisson noise is made even for those that take
    it to be.
    """
    strengths: dict[Level, Mapping[str, float]] = {}
    for level, (movie, *_) in _alike(train, test):
        baseline = _evened(name, movie)
        strengths[level] = tune(baseline, movie.noisy, truth=movie.truth).settings
    for movie in test:
        yield _evened(name, movie).denoise(movie.noisy, strengths[movie.level])


def _alike(
    train: Sequence[Movie], test: Sequence[Movie]
) -> Iterator[tuple[Level, Sequence[Movie]]]:
    """Find for each kind and range of noise the training movies nearest to it."""
    for level in {movie.level for movie in test}:
        doses = [movie.dose for movie in test if movie.level == level]
        middle = np.exp(np.mean(np.log(doses)))
        alike = sorted(
            (movie for movie in train if movie.kind == level[0]),
            key=lambda movie: abs(np.log(movie.dose / middle)),
        )
        yield level, alike[:_NEAREST]


def _evened(name: str, movie: Movie) -> Baseline:
    """Make Poisson noise even for a filter that asks for it."""
    baseline = BASELINES[name]
    if movie.kind != POISSON or not baseline.even_noise:
        return baseline
    mean, quantum = float(movie.noisy.mean()), 1 / movie.dose
    noise = NoiseUnits.of_detector(mean, gain=quantum, offset=0.0, readout_std=0.0)
    return stabilized(baseline, noise)


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
