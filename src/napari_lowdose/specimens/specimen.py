"""What a specimen is: its settings, and how they become a movie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_lowdose.schema import Config
from napari_lowdose.stack import Stack


@dataclass(frozen=True)
class Specimen:
    """A kind of movie that can be simulated.

    Parameters
    ----------
    settings
        Schema of what the user decides about it.
    render
        Turns such settings into a stack of expected brightness (t, y, x), not negative,
        in arbitrary units: `napari_lowdose.noise.add_noise` scales it to a dose.
    """

    settings: type[Config]
    render: Callable[[Any], Stack]
