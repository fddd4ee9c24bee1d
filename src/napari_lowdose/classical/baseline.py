"""What a baseline is: a classical filter, its settings, and where to look for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import NoiseUnits

Settings = Mapping[str, float]
Denoise = Callable[
    [Real[ndarray, "t y x"], Mapping[str, float]], Float[ndarray, "t y x"]
]
Risks = Mapping[tuple[float, ...], float]
Judge = Callable[[Real[ndarray, "t y x"], NoiseUnits, np.random.Generator], Risks]


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
    even_noise
        Whether it takes the noise to be as strong in bright places as in dark ones:
        `napari_lowdose.classical.stabilized` then makes it so.
    judge
        A criterion of its own that needs no truth: risks by settings, from counts and
        the noise on them. None: electrons or pixels are held out.
    least_frames
        Fewest frames that it can work with.
    bytes_per_voxel
        Memory that it takes beside its input, measured, per voxel.
    """

    denoise: Denoise
    settings: Mapping[str, Setting]
    summary: str
    temporal: bool = False
    even_noise: bool = False
    judge: Judge | None = None
    least_frames: int = 1
    bytes_per_voxel: float = 16.0

    def why_not(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[np.generic],
        available_bytes: float | None = None,
    ) -> str:
        """Say why a stack cannot be denoised, without looking at its counts.

        Parameters
        ----------
        shape, dtype
            Of the stack.
        available_bytes
            Memory that may be taken; None: as much as it needs.

        Returns
        -------
        str
            A sentence, empty if nothing stands in the way.
        """
        if len(shape) != 3 or 0 in shape:
            return f"expected a (t, y, x) stack, got shape {shape}; choose one channel"
        if not np.issubdtype(dtype, np.floating) and dtype.kind not in "iu":
            return f"expected real counts, got {dtype}; convert them first"
        if shape[0] < self.least_frames:
            return _too_few(shape[0], self.least_frames)
        needed = math.prod(shape) * self.bytes_per_voxel
        if available_bytes is not None and needed > available_bytes:
            return (
                f"expected about {needed / 1e9:.2g} GB of free memory for this stack, "
                f"got {available_bytes / 1e9:.2g} GB; crop the stack or close others"
            )
        return ""


def check_frames(n_frames: int, least: int) -> None:
    """Refuse a stack of too few frames.

    Raises
    ------
    UnusableStack
        If there are fewer frames than the filter needs.
    """
    if n_frames < least:
        raise UnusableStack(_too_few(n_frames, least))


def _too_few(n_frames: int, least: int) -> str:
    return (
        f"expected at least {least} frames for a filter in time, got {n_frames}; "
        "choose one that filters each frame"
    )
