"""The range of counts that are no sparks or dead pixels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

# Values so rare are out of it if they are so many times the others' range away.
_RARE, _FAR, _SAMPLE = 1e-3, 3.0, 200_000


def usual_range(signal: Float[ndarray, "t y x"]) -> tuple[float, float]:
    """Give the lowest and highest value that is no spark or dead pixel.

    The power of such is everywhere in a spectrum. It is a part of the range of all.
    """
    some = signal.ravel()[:: max(1, signal.size // _SAMPLE)]
    low, middle, high = np.quantile(some, (_RARE, 0.5, 1 - _RARE))
    if not low < high:
        return float(signal.min()), float(signal.max())
    lowest, highest = middle - _FAR * (high - low), middle + _FAR * (high - low)
    return max(float(lowest), float(signal.min())), min(
        float(highest), float(signal.max())
    )
