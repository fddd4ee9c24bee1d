"""What a baseline is: a classical filter, its settings, and where to look for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jaxtyping import Float, Real
from numpy import ndarray

Settings = Mapping[str, float]
Denoise = Callable[
    [Real[ndarray, "t y x"], Mapping[str, float]], Float[ndarray, "t y x"]
]


@dataclass(frozen=True)
class Setting:
    """One strength of a filter, tuned on a logarithmic scale.

    Parameters
    ----------
    coarse
        Values to try first, ascending.
    lowest, highest
        How far the search may leave them.
    sentence
        What the setting does, and its unit.
    """

    coarse: tuple[float, ...]
    lowest: float
    highest: float
    sentence: str


@dataclass(frozen=True)
class Baseline:
    """A classical filter.

    Parameters
    ----------
    denoise
        Takes noisy counts (t, y, x) of any real dtype and a value for each setting;
        gives float32 counts of the same shape and leaves its input as it is.
    settings
        What can be tuned, by name. Values are in pixels or in units of the stack's own
        noise, so that they suit any gain, and a thinned movie as well as the whole one.
    summary
        What it does, in one sentence.
    temporal
        Whether a frame's estimate depends on other frames: it is then tuned on
        consecutive frames, else on frames from the whole stack.
    """

    denoise: Denoise
    settings: Mapping[str, Setting]
    summary: str
    temporal: bool = False
