"""Two stacks read as one: one left and one right of a line, or their difference."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy import ndarray

from napari_lowdose.stack import ArrayLike

_FRAMES_LOOKED_AT = 8
_PIXELS_LOOKED_AT = 2**17  # of each frame
_OUTERMOST = 99.8  # percentile of what is shown in full colour


@dataclass(eq=False)
class Pair:
    """Two stacks of one shape, of which only what is asked for is read.

    It stands where napari and numpy want an array, and copies neither stack.

    Parameters
    ----------
    first, second
        Counts of shape (t, y, x).

    Raises
    ------
    ValueError
        If they differ in shape.
    """

    first: ArrayLike
    second: ArrayLike

    def __post_init__(self) -> None:
        if tuple(self.first.shape) != tuple(self.second.shape):
            raise ValueError(
                f"expected two stacks of one shape, got {tuple(self.first.shape)} and "
                f"{tuple(self.second.shape)}; choose results of the same movie"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of either."""
        return tuple(self.first.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Enough for counts and for what may be negative."""
        return np.dtype(np.float32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray:  # noqa: ANN401 - as in numpy
        whole: ndarray = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __getitem__(self, key: Any, /) -> Any:  # noqa: ANN401 - as in numpy
        raise NotImplementedError

    def _both(self, key: Any) -> tuple[ndarray, ndarray]:  # noqa: ANN401 - as in numpy
        first, second = np.asarray(self.first[key]), np.asarray(self.second[key])
        return first.astype(self.dtype), second.astype(self.dtype)


class Difference(Pair):
    """The first stack less the second."""

    def __getitem__(self, key: Any, /) -> Any:  # noqa: ANN401 - as in numpy
        first, second = self._both(key)
        return first - second

    @property
    def limits(self) -> tuple[float, float]:
        """Counts as far below as above zero, which few pixels exceed."""
        step = max(1, self.shape[0] // _FRAMES_LOOKED_AT)
        apart = max(1, isqrt(self.shape[1] * self.shape[2] // _PIXELS_LOOKED_AT))
        sizes = np.abs(self[::step, ::apart, ::apart])
        sizes = sizes[np.isfinite(sizes)]
        most = float(np.percentile(sizes, _OUTERMOST)) if sizes.size else 0.0
        return (-most, most) if most > 0 else (-1.0, 1.0)


@dataclass(eq=False)
class Curtain(Pair):
    """The first stack left of a line, the second from there on.

    Parameters
    ----------
    edge
        The first column that is of the second stack; may be set at any time.
    """

    edge: int = 0

    def __getitem__(self, key: Any, /) -> Any:  # noqa: ANN401 - as in numpy
        key = self._in_full(key)
        first, second = self._both(key)
        # The kept axes are in order, x the last of them, unless x was one column.
        columns = np.arange(self.shape[-1])[key[-1]]
        return np.where(columns < self.edge, first, second)

    def _in_full(self, key: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as in numpy
        """Spell out the axes that a key leaves out."""
        key = key if isinstance(key, tuple) else (key,)
        if Ellipsis in [part if part is Ellipsis else 0 for part in key]:
            at = next(n for n, part in enumerate(key) if part is Ellipsis)
            missing = self.ndim - len(key) + 1
            return (*key[:at], *(slice(None),) * missing, *key[at + 1 :])
        return (*key, *(slice(None),) * (self.ndim - len(key)))
