"""A simulated movie with the truth about what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

from napari_lowdose.stack import Stack

_PARTICLES = {
    "frame": np.int64,
    "id": np.int64,
    "y": np.float64,
    "x": np.float64,
    "radius": np.float64,
    "amplitude": np.float64,
    "visible": np.bool_,
}
_EVENTS = {"frame": np.int64, "kind": object, "id": np.int64, "other": np.int64}


class Happening(StrEnum):
    """What a particle can go through."""

    BIRTH = "birth"
    DEATH = "death"
    MERGE = "merge"  # into the other particle, which goes on
    BLINK = "blink"  # it goes dark
    RETURN = "return"  # it is seen again


@dataclass(frozen=True)
class Scene:
    """A clean movie and tables of what it shows.

    Parameters
    ----------
    stack
        Expected brightness (t, y, x), float32, not negative, in arbitrary units:
        `napari_lowdose.noise.add_noise` scales it to a dose.
    particles
        One row per particle and frame: frame, id, y, x, radius, amplitude, visible;
        y, x and radius in pixels, amplitude in units of the brightness.
    events
        One row per event: frame, kind, id, other; other is -1 where there is none.
    """

    stack: Stack
    particles: pd.DataFrame
    events: pd.DataFrame


@dataclass
class Tracks:
    """Notes of a simulation about its particles, taken frame by frame."""

    _rows: dict[str, list[ndarray]] = field(
        default_factory=lambda: {name: [] for name in _PARTICLES}
    )
    _events: list[tuple[int, str, int, int]] = field(default_factory=list)

    def note(
        self,
        frame: int,
        *,
        ids: Integer[ndarray, " n"],
        position: Float[ndarray, "n 2"],
        radius: Float[ndarray, " n"],
        amplitude: Float[ndarray, " n"],
        visible: Bool[ndarray, " n"],
    ) -> None:
        """Note where the particles of a frame are; the arrays are copied."""
        row = (np.full(len(ids), frame), ids, *position.T, radius, amplitude, visible)
        for (name, kind), values in zip(_PARTICLES.items(), row, strict=True):
            self._rows[name].append(np.array(values, kind))

    def happen(
        self, frame: int, kind: Happening, ids: Iterable[int], *, other: int = -1
    ) -> None:
        """Note what some particles go through, from this frame on."""
        self._events.extend((frame, kind.value, int(i), other) for i in ids)

    @property
    def particles(self) -> pd.DataFrame:
        """All notes, in the columns of `Scene.particles`."""
        return pd.DataFrame(
            {
                name: np.concatenate([np.empty(0, kind), *self._rows[name]])
                for name, kind in _PARTICLES.items()
            }
        )

    @property
    def events(self) -> pd.DataFrame:
        """All events, in the columns of `Scene.events`."""
        table = pd.DataFrame(self._events, columns=pd.Index([*_EVENTS]))
        return table.astype(_EVENTS)
