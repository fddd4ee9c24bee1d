"""Many files of one image each, as one time series in natural order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from napari_lowdose.errors import UnreadableFile, UnusableStack
from napari_lowdose.io.tiff import (
    LAZY_ABOVE_BYTES,
    Layout,
    Source,
    image_layout_of,
    image_of,
)

SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Frames:
    """Files of one image each, read when their frame is indexed.

    Parameters
    ----------
    paths
        One file per frame.
    shape
        Number of files, and the shape of each image.
    dtype
        Type of the numbers in every file.
    """

    paths: tuple[Path, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, key: Any, /) -> Shaped[ndarray, "..."]:  # noqa: ANN401
        """Read frames by an integer or a slice, and parts of them."""
        frames, *rest = key if isinstance(key, tuple) else (key,)
        if not isinstance(frames, slice):
            return np.asarray(self._image(self.paths[frames])[tuple(rest)])
        images = [self._image(path)[tuple(rest)] for path in self.paths[frames]]
        if images:
            return np.stack(images)
        shape = np.empty(self.shape[1:], np.bool_)[tuple(rest)].shape
        return np.empty((0, *shape), self.dtype)

    def _image(self, path: Path) -> Shaped[ndarray, "..."]:
        return image_of(path).reshape(self.shape[1:])


def natural_order(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key by which frame 9 comes before frame 10.

    Examples
    --------
    >>> sorted([Path("b10.tif"), Path("b9.tif")], key=natural_order)[0].name
    'b9.tif'
    """
    parts = re.split(r"(\d+)", path.name.lower())
    return tuple((0, int(p)) if p.isdecimal() else (1, p) for p in parts if p)


def files_in(folder: Path) -> tuple[Path, ...]:
    """List the TIFF files of a folder in natural order, hidden ones left out.

    Raises
    ------
    UnreadableFile
        If there are none.
    """
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    except OSError as error:
        raise UnreadableFile(f"cannot read the folder {folder}: {error}") from error
    visible = [path for path in found if not path.name.startswith(".")]
    if not visible:
        raise UnreadableFile(f"the folder {folder} holds no TIFF files")
    return tuple(sorted(visible, key=natural_order))


def series_name(paths: Sequence[Path]) -> str:
    """Name a series by what its files are called before the number."""
    stem = stack_name(paths[0])
    return re.sub(r"[\s_.-]*\d+$", "", stem) or stem


def stack_name(path: Path) -> str:
    """Name a stack by its file, without the suffix."""
    return re.sub(r"(\.ome)?\.tiff?$", "", path.name, flags=re.IGNORECASE) or path.name


def series_layout(paths: Sequence[Path]) -> Layout:
    """Put the layouts of several files together, one frame each.

    Raises
    ------
    UnusableStack
        If a file is a movie itself, or differs from the first in shape or type.
    """
    layouts = [image_layout_of(path) for path in paths]
    first = layouts[0]
    for path, layout in zip(paths, layouts, strict=True):
        _refuse_movie(path, layout)
        if (layout.shape, layout.dtype) != (first.shape, first.dtype):
            raise UnusableStack(
                f"{path.name} is {_kind(layout)}, but {paths[0].name} is "
                f"{_kind(first)}; the frames of a movie must be alike"
            )
    axes = "T" + first.axes.replace("T", "")
    shape = (len(paths), *_image_shape(first))
    return replace(first, axes=axes, shape=shape)


def series_source(paths: Sequence[Path]) -> Source:
    """Read several files of one image each, or open them when they are large."""
    layout = series_layout(paths)
    frames = Frames(tuple(paths), layout.shape, layout.dtype)
    size = int(np.prod(layout.shape)) * layout.dtype.itemsize
    return Source(frames[:] if size <= LAZY_ABOVE_BYTES else frames, layout)


def _refuse_movie(path: Path, layout: Layout) -> None:
    sizes = dict(zip(layout.axes, layout.shape, strict=True))
    several = [a for a in "TZ" if sizes.get(a, 1) > 1]
    if several:
        raise UnusableStack(
            f"{path.name} holds {sizes[several[0]]} images itself; "
            "open it on its own, or give files of one image each"
        )


def _kind(layout: Layout) -> str:
    return f"{' x '.join(map(str, layout.shape))} {layout.dtype}"


def _image_shape(layout: Layout) -> tuple[int, ...]:
    pairs = zip(layout.axes, layout.shape, strict=True)
    return tuple(size for axis, size in pairs if axis != "T")
