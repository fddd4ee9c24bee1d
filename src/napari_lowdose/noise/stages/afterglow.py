"""Light that comes late."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage


class Afterglow(Stage):
    """Afterglow: the signal fades into the pixels and frames that are read next."""

    afterglow_px: Annotated[float, Ge(0), Le(1000)] = 0.7
    """Pixels along the fast axis in which the light fades to a third; 0: none."""

    afterglow_frames: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Frames in which the light fades to a third; 0: none."""

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Delay; lines and movies begin as if they had stood there before."""
        from scipy.signal import lfilter  # takes a second to load

        kept = _kept(self.afterglow_px)
        for frame in counts if kept else ():
            begun = kept * frame[:, :1]
            frame[...], _ = lfilter([1 - kept], [1, -kept], frame, zi=begun)
        kept = _kept(self.afterglow_frames)
        for before, frame in pairwise(counts) if kept else ():
            frame *= 1 - kept
            frame += kept * before
        return counts


def _kept(steps: float) -> float:
    """Share of the light that is left one step later."""
    return float(np.exp(-1 / steps)) if steps else 0.0
