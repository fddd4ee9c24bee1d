"""A (t, y, x) array that knows its scale, units, name and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack

Recipe = tuple[Mapping[str, Any], ...]


@runtime_checkable
class ArrayLike(Protocol):
    """An array in memory, memory-mapped, or read from a file when indexed."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102 - as in numpy
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102 - as in numpy
    def __getitem__(self, key: Any, /) -> Any: ...  # noqa: ANN401 - as in numpy


@dataclass(frozen=True)
class Stack:
    """A time series of images and what is known about it.

    Parameters
    ----------
    data
        Counts as recorded, of shape (t, y, x); may be read lazily.
    name
        What the user calls it.
    pixel_size
        Edges (y, x) of a pixel, in `pixel_unit`; None when unknown.
    pixel_unit
        Unit of the pixel size by its full name, such as ``"nanometer"``.
    frame_interval_s
        Time from one frame to the next, in seconds; None when unknown.
    recipe
        What was done to get here, oldest step first.

    Raises
    ------
    UnusableStack
        If `data` has not three axes, or one of them is empty.
    """

    data: ArrayLike
    name: str = "stack"
    pixel_size: tuple[float, float] | None = None
    pixel_unit: str = "pixel"
    frame_interval_s: float | None = None
    recipe: Recipe = ()

    def __post_init__(self) -> None:
        if len(self.data.shape) != 3:
            raise UnusableStack(
                f"expected a (t, y, x) stack, got shape {tuple(self.data.shape)}; "
                "choose one channel and one z first"
            )
        if 0 in self.data.shape:
            raise UnusableStack(
                f"expected a (t, y, x) stack with values, got the empty shape "
                f"{tuple(self.data.shape)}; check the file or the crop"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        frames, rows, columns = self.data.shape
        return frames, rows, columns

    @property
    def scale(self) -> tuple[float, float, float]:
        """Step along t, y and x, in `units`; 1 where unknown."""
        return (self.frame_interval_s or 1.0, *(self.pixel_size or (1.0, 1.0)))

    @property
    def units(self) -> tuple[str, str, str]:
        """Units along t, y and x; ``"pixel"`` where unknown."""
        pixel = self.pixel_unit if self.pixel_size else "pixel"
        return ("second" if self.frame_interval_s else "pixel", pixel, pixel)

    def read(self) -> Real[ndarray, "t y x"]:
        """Bring the whole stack into memory, unchanged.

        Raises
        ------
        UnusableStack
            If it holds anything but finite real numbers, or a single value only.
        """
        stack = np.asarray(self.data[:])
        if stack.dtype.kind not in "buif":
            raise UnusableStack(
                f"expected real numbers, got {stack.dtype} in {self.name!r}; "
                "convert it to integers or floats first"
            )
        if stack.dtype.kind == "b":
            stack = stack.astype(np.uint8)
        low, high = stack.min(), stack.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            count = int(stack.size - np.isfinite(stack).sum())
            raise UnusableStack(
                f"expected finite counts, got {count} NaN or infinite values in "
                f"{self.name!r}; replace them first, for example by the local median"
            )
        if low == high:
            raise UnusableStack(
                f"expected a stack with contrast, but every value of {self.name!r} is "
                f"{low:g}; check the file, the channel or the crop"
            )
        return stack

    def with_data(
        self, data: ArrayLike, suffix: str, step: Mapping[str, Any] | None = None
    ) -> Stack:
        """Keep place, scale and units; take new values and one more step of history."""
        recipe = (*self.recipe, stamped(step)) if step else self.recipe
        return replace(self, data=data, name=f"{self.name} {suffix}", recipe=recipe)


def stamped(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add this package's version to a step of a recipe."""
    return {**step, "napari-lowdose": version("napari-lowdose")}
