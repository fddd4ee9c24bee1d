"""The paper's data sets, simulated anew and smaller, and what it published of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from napari_lowdose.config import Plane
from napari_lowdose.datasets import DATASETS, Writing, plan

NOISY, UNET = "noisy", "U-Net"
POISSON = 0  # the kind of noise of every other movie
Level = tuple[int, int]
# The doses at which a new range begins, in quanta per pixel.
_LEVELS = (1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Column:
    """A data set seen in one plane: a row of the paper's table.

    Parameters
    ----------
    dataset, plane
        Which set, and which slices of it.
    n_items, frames, row_step
        Movies, frames of each, and one row in how many is taken: what the sizes of the
        paper are reduced to. Movies are as different as can be, their frames are not.
    n_parts
        The last of so many parts of the movies is for testing, as in the paper.
    published
        The paper's mean squared errors, in 1e-4 of its own unit.
    """

    dataset: str
    plane: Plane
    n_items: int
    frames: int
    row_step: int
    n_parts: int
    published: Mapping[str, float]


COLUMNS: Mapping[str, Column] = {
    "PN x-y": Column(
        "pn-junction",
        Plane.XY,
        n_items=160,
        frames=16,
        row_step=1,
        n_parts=5,
        published={
            NOISY: 175.08,
            UNET: 8.91,
            "nonlocal_means": 10.33,
            "gaussian": 9.24,
            "bilateral": 10.11,
        },
    ),
    "PN x-t": Column(
        "pn-junction",
        Plane.XT,
        n_items=160,
        frames=64,
        row_step=4,
        n_parts=5,
        published={
            NOISY: 156.12,
            UNET: 8.01,
            "nonlocal_means": 9.48,
            "gaussian": 8.56,
            "bilateral": 9.91,
        },
    ),
    "Pt x-y": Column(
        "catalyst",
        Plane.XY,
        n_items=300,
        frames=8,
        row_step=1,
        n_parts=6,
        published={NOISY: 268.98, UNET: 164.25, "gaussian": 176.33},
    ),
}


@dataclass(frozen=True)
class Movie:
    """A noisy movie and its truth, in units of the mean brightness."""

    noisy: Float32[ndarray, "t y x"]
    truth: Float32[ndarray, "t y x"]
    dose: float
    kind: int  # of noise: POISSON, or 1 for Gaussian

    @property
    def level(self) -> Level:
        """Kind of noise and range of doses."""
        return self.kind, int(np.searchsorted(_LEVELS, self.dose))


def simulated(column: Column, size: int) -> list[Movie]:
    """Simulate a column's movies."""
    writing = Writing(n_items=column.n_items, frames=column.frames, size=size)
    whole = plan(column.dataset, DATASETS[column.dataset], writing)
    movies = []
    for index in range(column.n_items):
        arrays, dose = whole.make(index)
        noisy, truth = (
            arrays[part][:, :: column.row_step] / np.float32(dose)
            for part in ("noisy", "truth")
        )
        # In these sets the two kinds of noise take turns.
        movies.append(Movie(noisy, truth, dose, index % 2))
    return movies
