"""Table 1 of the tri-directional paper, on its data sets simulated anew and smaller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import log10
from typing import Any

import numpy as np
from numpy import ndarray

from napari_lowdose.benchmarks.table1.methods import (
    denoised,
    filtered,
    filtered_as_movies,
    filtered_by_own_truth,
)
from napari_lowdose.benchmarks.table1.movies import (
    COLUMNS,
    NOISY,
    UNET,
    Movie,
    simulated,
)
from napari_lowdose.classical import BASELINES
from napari_lowdose.config import Compute, Network, Training
from napari_lowdose.metrics.reference import mse

_BAR = 0.75
_OWN = "own gaussian"  # tuned by the truth of the test movie itself
_TRAINING = Training(
    objective="supervised",
    epochs=12,
    steps_per_epoch=150,
    batch=8,
    validation_fraction=0.1,
    # At the lowest dose the best Gaussian has 7 px: depth 3 would see too little.
    network=Network(depth=4, width=16),
)

# As in the paper, each image is filtered on its own; others are given whole movies.
FILTERS = tuple(name for name, filt in BASELINES.items() if not filt.temporal)
MOVIE_FILTERS = tuple(name for name, filt in BASELINES.items() if filt.temporal)


def measure_table1(
    *,
    columns: Sequence[str] = tuple(COLUMNS),
    filters: Sequence[str] = (*FILTERS, *MOVIE_FILTERS),
    small: bool = False,
    compute: Compute | None = None,
) -> Iterator[dict[str, Any]]:
    """Compare the U-Net with three filters on data sets like the paper's.

    Noise is Poisson or Gaussian at any dose from 0.3 to 30 quanta per pixel, as the
    data sets define it. Movies are the units of the split: 4/5 of the PN junctions and
    5/6 of the catalysts train. One U-Net per column serves all of its noise, of which
    it is told nothing.

    The filters are told more. Each is tuned by the truth, for each kind of noise and
    range of doses (a factor of about three), on frames of the 16 training movies that
    are nearest in noise. To see how much more they could have, a Gaussian is tuned by
    the truth of each test movie itself, too. Filters see the slices that the network
    sees, so rows in time for x-t. Those that need the frames beside an image are given
    whole movies, and are tuned on the training movie nearest in noise.

    Errors are in units of the mean brightness, so that every dose weighs as much as it
    is noisy; the paper scales its pixels to a range from 0 to 1. Ratios and gains know
    no unit.

    Parameters
    ----------
    columns
        Names of `COLUMNS`.
    filters
        Names of `napari_lowdose.classical.BASELINES`; ``"gaussian"`` among them.
    small
        Only to see that it works: a few small movies, a few steps.
    compute
        On what the networks run.

    Yields
    ------
    dict
        One row per method: its error, its gain in decibels of PSNR, and what the paper
        published of both; then the ratios of errors, of the mean over all test movies
        and of a typical one (the geometric mean).

    References
    ----------
    Denoising low-dose images using deep learning of time series images, section 3.1.
    """
    for name in columns:
        column, size = COLUMNS[name], 0
        training = _TRAINING.model_copy(
            update={"planes": (column.plane,), "compute": compute or Compute()}
        )
        if small:
            column, size = replace(column, n_items=4 * column.n_parts, frames=16), 16
            training = training.model_copy(update={"epochs": 1, "steps_per_epoch": 2})
        movies = simulated(column, size)
        n_test = len(movies) // column.n_parts
        errors = _measured(movies[:-n_test], movies[-n_test:], training, filters)
        for row in _rows(errors, column.published):
            yield {**row, "what": f"{name} {row['what']}"}


def _measured(
    train: Sequence[Movie],
    test: Sequence[Movie],
    training: Training,
    filters: Sequence[str],
) -> dict[str, ndarray]:
    """Measure the mean squared error of each method on each test movie."""
    (plane,) = training.planes
    images = [name for name in FILTERS if name in filters]
    movies = [name for name in MOVIE_FILTERS if name in filters]
    estimates: dict[str, Callable[[], Iterator[ndarray]]] = {
        NOISY: lambda: (movie.noisy for movie in test),
        **{name: partial(filtered, name, train, test, plane) for name in images},
        **{name: partial(filtered_as_movies, name, train, test) for name in movies},
        _OWN: lambda: filtered_by_own_truth("gaussian", test, plane),
        UNET: lambda: denoised(train, test, training),
    }
    return {
        name: np.array(
            [mse(e, m.truth) for e, m in zip(made(), test, strict=True)], float
        )
        for name, made in estimates.items()
    }


def _rows(
    errors: Mapping[str, ndarray], published: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    """Give errors, gains and ratios beside the paper's."""
    mean = {name: float(error.mean()) for name, error in errors.items()}
    for name, error in mean.items():
        row = {"what": name, "rate": 1e4 * error, "unit": "1e-4"}
        row["gain dB"] = _decibels(mean[NOISY] / error)
        if name in published:
            row["paper"] = published[name]
            row["paper gain dB"] = _decibels(published[NOISY] / published[name])
        yield row
    yield {
        "what": f"{UNET} / gaussian",
        "rate": mean[UNET] / mean["gaussian"],
        "unit": "",
        "paper": published[UNET] / published["gaussian"],
        "to beat": _BAR,
    }
    typical = np.exp(np.mean(np.log(errors[UNET] / errors["gaussian"])))
    yield {"what": "the same, typical", "rate": float(typical), "unit": ""}
    own = mean[UNET] / mean[_OWN]
    yield {"what": f"{UNET} / {_OWN}", "rate": own, "unit": ""}


def _decibels(ratio: float) -> float:
    return 10 * log10(ratio)
