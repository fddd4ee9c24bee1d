"""Two stacks of the development set that were not simulated here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import Float32
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.benchmarks.quality.stacks import DevelopmentStack, counted
from napari_lowdose.io.read import read_stack

# Beside a checkout of the project; see contributing.md.
DATA = Path(__file__).resolve().parents[4].parent / "shared" / "data"
_COLLOIDS = (slice(0, 64), slice(64, 192), slice(32, 160))
# At 2 counts even the best filter shows no sphere: they take away a fifth of the light.
_COLLOIDS_MEAN = 20.0
_CORNER = (330.0, 190.0)  # of the particle on its support, in the whole image
_DRIFT = (0.11, -0.17)  # pixels per frame
_HRTEM_FRAMES, _EDGE = 48, 128
_SEEDS = (9101, 9102)


class MissingMovie(UserWarning):
    """A real movie of the development set is not on this machine."""


def recorded_stacks(data: Path | None = None) -> Iterator[DevelopmentStack]:
    """Read the real movies, take them for the truth, and add counting noise.

    `colloids.tif` is a bright-field movie of latex spheres in water, of high dose.
    `hrtem_clean.tif` is a multislice simulation of a platinum particle on ceria, in
    expected counts; it is moved a little from frame to frame.

    Parameters
    ----------
    data
        Folder that holds them; None: ``shared/data`` beside the project.

    Warns
    -----
    MissingMovie
        If one is not there; it is left out.
    """
    folder = data or DATA
    makers = {"colloids.tif": _colloids, "hrtem_clean.tif": _hrtem}
    for name, make in makers.items():
        path = folder / name
        if path.exists():
            yield make(path)
        else:
            warnings.warn(
                f"{name} is not in {folder}: the development set goes without it",
                MissingMovie,
                stacklevel=2,
            )


def _colloids(path: Path) -> DevelopmentStack:
    movie = read_stack(path).read()[_COLLOIDS].astype(np.float32)
    truth = movie * np.float32(_COLLOIDS_MEAN / movie.mean(dtype=np.float64))
    return DevelopmentStack("colloids, real", counted(truth, _SEEDS[0]), truth)


def _hrtem(path: Path) -> DevelopmentStack:
    image = tifffile.imread(path).astype(np.float32)
    truth = np.stack([_window(image, frame) for frame in range(_HRTEM_FRAMES)])
    return DevelopmentStack("platinum, multislice", counted(truth, _SEEDS[1]), truth)


def _window(image: Float32[ndarray, "y x"], frame: int) -> Float32[ndarray, "h w"]:
    """Cut the window that a frame sees, moved by parts of a pixel."""
    corner = [at + frame * step for at, step in zip(_CORNER, _DRIFT, strict=True)]
    seen: ndarray = ndimage.affine_transform(
        image, np.ones(2), offset=corner, output_shape=(_EDGE, _EDGE), order=3
    )
    seen = np.maximum(seen, 0.0).astype(np.float32)
    return seen
