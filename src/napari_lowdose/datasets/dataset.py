"""What a data set is: how many items, how large, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy import ndarray

from napari_lowdose.config import Seed
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.schema import Config
from napari_lowdose.specimens import Movie, Specimen
from napari_lowdose.stack import Stack


class Writing(Config):
    """How much of a data set is written, and how."""

    n_items: Annotated[int, Ge(0), Le(10_000_000)] = 0
    """Movies or images to make; 0: as many as in the paper."""

    frames: Annotated[int, Ge(0), Le(100_000)] = 0
    """Frames of each; 0: as many as in the paper."""

    size: Annotated[int, Ge(0), Le(8192)] = 0
    """Rows and columns of a frame, in pixels; 0: as many as in the paper."""

    seed: Seed = 0
    """Start of the random numbers: the same seed gives the same set."""

    workers: Annotated[int, Ge(0), Le(1024)] = 0
    """Processes that work at the same time; 0: as many as there are cores."""


@dataclass(frozen=True)
class Item:
    """One item to be made: which one, how large, and by which chance.

    Item `index` of a set and a seed is the same whatever else is made with it, so that
    it can be made again, with its tables, from these numbers alone.
    """

    index: int
    frames: int
    size: int
    rng: np.random.Generator


Made = tuple[Mapping[str, ndarray], float]


@dataclass(frozen=True)
class DataSet:
    """A set of simulated items.

    Parameters
    ----------
    summary
        What it holds and whose set it follows, in one sentence.
    n_items, frames, size
        As in the paper: items, frames of an item, rows and columns of a frame.
    parts
        The arrays of an item, each (t, y, x): data type by name.
    make
        Makes the arrays of one item, and tells the item's dose in quanta per pixel.
    """

    summary: str
    n_items: int
    frames: int
    size: int
    parts: Mapping[str, str]
    make: Callable[[Item], Made]


def vary(specimen: Specimen, item: Item, **settings: object) -> Movie:
    """Draw a specimen of an item's size, some of its settings given."""
    start = specimen.settings(frames=item.frames, size=item.size, **settings)
    varied: Movie = specimen.vary(start, item.rng)
    return varied


def pair(clean: Stack, noise: Noise) -> dict[str, ndarray]:
    """Give the noisy and the true counts of a clean stack."""
    noisy, truth = add_noise(clean, noise)
    return {"noisy": noisy.read(), "truth": truth.read()}


def drawn_seed(rng: np.random.Generator) -> int:
    """Draw a seed that settings take."""
    return int(rng.integers(2**32))
