"""Memory that goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from math import prod
from mmap import mmap
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray
from numpy.typing import DTypeLike


def mapped(shape: Sequence[int], dtype: DTypeLike) -> Shaped[ndarray, "*shape"]:
    """Make an array of zeros whose memory is given back as soon as it is let go of.

    What comes from the C library often stays with the process, once it has had arrays
    of that size: of a stack that is more than all else.

    Parameters
    ----------
    shape
        Of the array.
    dtype
        Of its elements.
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    room = mmap(-1, max(prod(shape) * kind.itemsize, 1))
    return np.frombuffer(room, kind, prod(shape)).reshape(tuple(shape))


def return_free() -> None:
    """Give memory that is free, but still ours, back to the system, if it is glibc."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
