"""How each verdict on a particle is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.particles import Verdict


@dataclass(frozen=True)
class Look:
    """A verdict's colour, the word for a narrow column, and what it means."""

    colour: str
    word: str
    meaning: str

    @property
    def rgba(self) -> tuple[float, float, float, float]:
        """The colour as shares of red, green, blue, and opaque."""
        red, green, blue = (int(self.colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return red, green, blue, 1.0


_RING, _ROOM_PX = 2.0, 2.0  # deviations of the particle, and pixels beside it

# The most doubtful first.
LOOKS: Mapping[Verdict, Look] = {
    Verdict.PHANTOM: Look(
        "#ff4f4f", "phantom", "in the denoised movie, without support in the raw counts"
    ),
    Verdict.SINGLE_FRAME: Look(
        "#ffa31a", "one frame", "in the raw counts of its own frame, but of no other"
    ),
    Verdict.MISSED: Look(
        "#4da6ff",
        "missed",
        "supported by the raw counts, but not in the denoised movie",
    ),
    Verdict.SUPPORTED: Look(
        "#4fd36a", "supported", "in the denoised movie and in the raw counts"
    ),
}


def look_of(verdict: str) -> Look:
    """Find how a verdict is shown."""
    return LOOKS[Verdict(verdict)]


def counted(verdicts: pd.Series) -> str:
    """Say how many particles there are, and of each verdict."""
    if verdicts.empty:
        return "no particles found; lower 'n std' in the settings to see fainter ones"
    counts = verdicts.value_counts()
    parts = [f"{n:,} {look_of(str(verdict)).word}" for verdict, n in counts.items()]
    return f"{len(verdicts):,} particles: {', '.join(parts)}"


def colours_of(verdicts: ndarray) -> Float[ndarray, "n 4"]:
    """Give the colour of each of many verdicts."""
    colours = np.zeros((len(verdicts), 4))
    for verdict, look in LOOKS.items():
        colours[verdicts == verdict] = look.rgba
    return colours


def ring_radius(sigma_px: float) -> float:
    """Choose a ring, in pixels, that leaves its particle free."""
    return _RING * sigma_px + _ROOM_PX
