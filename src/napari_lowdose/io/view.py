"""Look at one z and channel of a file as (t, y, x), without reading the rest."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any
from weakref import finalize

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from napari_lowdose.io.atomic import PathLike
from napari_lowdose.io.damage import refusing_damage
from napari_lowdose.stack import ArrayLike


@dataclass(frozen=True, eq=False)
class Pages:
    """A file's array, decoded where it is indexed; open as long as someone looks.

    Parameters
    ----------
    array
        Reads from the file when indexed by integers and slices of positive step.
    path
        The file, for what is said when reading fails.
    close
        Called when nobody holds the array any more.
    """

    array: ArrayLike
    _: KW_ONLY
    path: PathLike
    close: Callable[[], None]

    def __post_init__(self) -> None:
        finalize(self, self.close)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis of the file."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.array.dtype

    def __getitem__(self, key: Any, /) -> Shaped[ndarray, "..."]:  # noqa: ANN401
        """Read a part."""
        with refusing_damage(self.path):
            return np.asarray(self.array[key])


@dataclass(frozen=True, eq=False)
class View:
    """A (t, y, x) part of an array with any axes; read where it is indexed.

    Parameters
    ----------
    source
        The array with all its axes.
    picks
        For every axis of `source` the index chosen, or the range kept.
    order
        Which axes of `source` are t, y and x.
    """

    source: ArrayLike
    picks: tuple[int | range, ...]
    order: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        t, y, x = (len(self._kept(axis)) for axis in self.order)
        return t, y, x

    @property
    def ndim(self) -> int:
        """Three axes, always."""
        return 3

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers, in this machine's byte order."""
        return self.source.dtype.newbyteorder("=")

    @property
    def nbytes(self) -> int:
        """Memory that the whole part takes once read."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(
        self,
        dtype: Any = None,  # noqa: ANN401 - as in numpy
        copy: bool | None = None,
    ) -> Shaped[ndarray, "t y x"]:
        if copy is False:
            raise ValueError("expected leave to copy: the values are read from a file")
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, key: Any, /) -> Any:  # noqa: ANN401 - as in numpy
        """Read a part, chosen by integers, slices, and a list of frames.

        Raises
        ------
        IndexError
            If an index is out of range, or of another kind.
        """
        first, *rest = self._spelled(key)
        if isinstance(first, Sequence) or np.ndim(first) == 1:
            return self._gathered(np.asarray(first), rest)
        picks = list(self.picks)
        for axis, wanted in zip(self.order, (first, *rest), strict=True):
            picks[axis] = self._kept(axis)[_basic(wanted)]
        read = self.source[tuple(_forward(pick) for pick in picks)]
        return self._arranged(np.asarray(read, dtype=self.dtype), picks)

    def _gathered(
        self, frames: Shaped[ndarray, " n"], rest: Sequence[Any]
    ) -> Shaped[ndarray, "..."]:
        """Read chosen frames one after the other."""
        if frames.dtype == bool and len(frames) == len(self):
            frames = np.flatnonzero(frames)
        if not len(frames):
            return np.asarray(self[(slice(0, 0), *rest)])
        return np.stack([self[(frame, *rest)] for frame in frames])

    def _kept(self, axis: int) -> range:
        kept = self.picks[axis]
        if isinstance(kept, int):
            raise TypeError(f"axis {axis} is both chosen from and shown")
        return kept

    def _spelled(self, key: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 - as in numpy
        """Write out one entry per axis."""
        entries = list(key) if isinstance(key, tuple) else [key]
        missing = 3 - sum(entry is not Ellipsis for entry in entries)
        if missing < 0:
            raise IndexError(f"expected at most 3 indices, got {key!r}")
        at = next((i for i, e in enumerate(entries) if e is Ellipsis), len(entries))
        entries[at : at + 1] = [slice(None)] * missing
        t, y, x = entries
        return t, y, x

    def _arranged(
        self, read: Shaped[ndarray, "..."], picks: Sequence[int | range]
    ) -> Any:  # noqa: ANN401 - an array, or a number
        """Bring the axes that are left into the order t, y, x; undo `_forward`."""
        left = [axis for axis, pick in enumerate(picks) if isinstance(pick, range)]
        shown = [axis for axis in self.order if axis in left]
        turned = read.transpose([left.index(axis) for axis in shown])
        steps = (picks[axis] for axis in shown)
        flips = (slice(None, None, -1 if s.step < 0 else 1) for s in steps)  # type: ignore[union-attr]
        return turned[tuple(flips)]


def _basic(wanted: Any) -> Any:  # noqa: ANN401 - as in numpy
    """Let integers and slices pass."""
    if isinstance(wanted, slice):
        return wanted
    try:
        return operator.index(wanted)
    except TypeError:
        raise IndexError(f"expected integers and slices, got {wanted!r}") from None


def _forward(pick: int | range) -> int | slice:
    """Spell a range as a slice of positive step, the only kind that files know."""
    if isinstance(pick, int):
        return pick
    if not pick:
        return slice(0, 0)
    low, high = min(pick[0], pick[-1]), max(pick[0], pick[-1])
    return slice(low, high + 1, abs(pick.step))
