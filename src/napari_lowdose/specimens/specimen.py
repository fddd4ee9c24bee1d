"""What a specimen is: its settings, and how they become a movie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Seed
from napari_lowdose.schema import Config
from napari_lowdose.specimens.scene import Scene, Tracks
from napari_lowdose.stack import Stack, stamped


class Movie(Config):
    """What all simulated movies have; each specimen adds settings of its own."""

    frames: Annotated[int, Ge(1), Le(100_000)] = 64
    """Number of frames."""

    size: Annotated[int, Ge(8), Le(8192)] = 128
    """Rows of a frame, in pixels."""

    width: Annotated[int, Ge(0), Le(8192)] = 0
    """Columns of a frame, in pixels; 0: as many as rows."""

    pixel_size_nm: Annotated[float, Gt(0)] = 0.1
    """Edge of a pixel in the sample plane, in nanometres."""

    frame_interval_s: Annotated[float, Gt(0)] = 0.1
    """Time from one frame to the next, in seconds."""

    seed: Seed = 0
    """Start of the random numbers: the same seed gives the same movie."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self.size, self.width or self.size

    def scene(
        self,
        kind: str,
        frames: Float[ndarray, "t y x"],
        tracks: Tracks | None = None,
    ) -> Scene:
        """Give rendered frames their scale, units, name, recipe and tables."""
        tracks = tracks or Tracks()
        step = {"step": "simulate", "kind": kind, **self.model_dump(mode="json")}
        stack = Stack(
            frames.astype(np.float32, copy=False),
            name=f"{kind.replace('_', ' ')} {self.seed}",
            pixel_size=(self.pixel_size_nm, self.pixel_size_nm),
            pixel_unit="nanometer",
            frame_interval_s=self.frame_interval_s,
            recipe=(stamped(step),),
        )
        return Scene(stack, tracks.particles, tracks.events)


@dataclass(frozen=True)
class Specimen:
    """A kind of movie that can be simulated.

    Parameters
    ----------
    settings
        Schema of what the user decides about it; a kind of `Movie`.
    render
        Turns such settings into a movie and its tables.
    vary
        Draws another specimen of the kind: a new seed, and what differs from sample to
        sample from the ranges that occur. Frames, size, width, pixel size and frame
        interval stay. Data sets and trainings are made of such variations.
    """

    settings: type[Movie]
    render: Callable[[Any], Scene]
    vary: Callable[[Any, np.random.Generator], Any]
