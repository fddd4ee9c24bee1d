"""napari's reader and writer: TIFF with axes, scale, units and history."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.utils.notifications import show_error
from numpy import ndarray

from napari_lowdose.config import Reading
from napari_lowdose.errors import LowDoseError, UnusableStack
from napari_lowdose.io import Description, inspect, read_stack, write_stack
from napari_lowdose.io.tiff import source_of
from napari_lowdose.stack import ArrayLike, Stack
from napari_lowdose.widgets.layers import (
    RECIPE,
    contrast_limits,
    place_of_stack,
    stack_from,
)

LayerData = tuple[Any, ...]  # data, options, kind of layer
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

SUFFIXES = (".tif", ".tiff")


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Offer to read TIFF files, several of them as one movie, or a folder of them."""
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    readable = all(_holds_tiffs(Path(one)) for one in paths)
    return _read_or_tell if paths and readable else None


def _holds_tiffs(path: Path) -> bool:
    if path.is_dir():
        return any(file.suffix.lower() in SUFFIXES for file in path.iterdir())
    return path.suffix.lower() in SUFFIXES


def _read_or_tell(path: Paths) -> list[LayerData]:
    """Read, or say in one sentence why not; napari would show a whole traceback."""
    try:
        return read_layers(path)
    except LowDoseError as error:
        show_error(str(error))
        return [(None,)]  # napari's sign for: nothing to show, and no fault


def read_layers(path: Paths) -> list[LayerData]:
    """Read all there is in a file, or in several, as napari layers.

    A reader cannot ask, so each channel or colour becomes a layer, and several z stay
    an axis; the 'Load stack' panel takes one z and one channel. Images without time
    are shown as they are.

    Raises
    ------
    UnreadableFile
        As `napari_lowdose.io.read_stack`.
    UnusableStack
        If a file of several z is too large for the memory.
    """
    paths = path if isinstance(path, str | os.PathLike) else [*path]
    if isinstance(paths, list) and len(paths) == 1:
        paths = paths[0]
    description = inspect(paths)
    if "T" not in description.axes and isinstance(paths, str | os.PathLike):
        return [_timeless(Path(paths), description)]
    sizes = dict(zip(description.axes, description.shape, strict=True))
    channels = sizes.get("C", 1) * sizes.get("S", 1)
    names = description.channel_names or [str(i) for i in range(channels)]
    return [
        _movie(paths, sizes.get("Z", 1), channel, name if channels > 1 else "")
        for channel, name in enumerate(names[:channels])
    ]


def _movie(path: Paths, slices: int, channel: int, channel_name: str) -> LayerData:
    """Read one channel of a movie, with all its z."""
    stacks = [
        read_stack(path, Reading(z=z, channel=channel)) for z in range(max(slices, 1))
    ]
    first = stacks[0]
    data, options, kind = layer_data(first)
    options["name"] = f"{first.name} {channel_name}".strip()
    if slices > 1:
        data = _with_z(stacks)
        options["scale"] = np.insert(options["scale"], 1, 1.0)
        options["units"] = (first.units[0], "pixel", *first.units[1:])
        options["axis_labels"] = ("t", "z", "y", "x")
    return data, options, kind


def _with_z(stacks: Sequence[Stack]) -> ndarray:
    if not all(isinstance(stack.data, ndarray) for stack in stacks):
        raise UnusableStack(
            f"{stacks[0].name!r} is large and has {len(stacks)} z; "
            "take one of them with 'Load stack'"
        )
    return np.stack([np.asarray(stack.data) for stack in stacks], axis=1)


def _timeless(path: Path, description: Description) -> LayerData:
    """Show a file that is no movie, so that nothing is lost by choosing this reader."""
    data: ArrayLike = source_of(path).data
    axes = description.axes
    options: dict[str, Any] = {"name": path.name.split(".")[0]}
    if axes.endswith("S") and data.shape[-1] in (3, 4):
        options["rgb"] = True
        axes = axes[:-1]
    edges = dict(zip("YX", description.pixel_size or (1.0, 1.0), strict=True))
    unit = description.pixel_unit if description.pixel_size else "pixel"
    options["scale"] = [edges.get(axis, 1.0) for axis in axes]
    options["units"] = [unit if axis in edges else "pixel" for axis in axes]
    options["axis_labels"] = [axis.lower() for axis in axes]
    return data, options, "image"


def layer_data(stack: Stack) -> LayerData:
    """Describe a stack as napari wants it from readers and samples."""
    options = {
        "name": stack.name,
        "contrast_limits": contrast_limits(stack.data),
        "metadata": {RECIPE: stack.recipe},
        **place_of_stack(stack),
    }
    return stack.data, options, "image"


def write_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:  # noqa: ANN401 - any array-like
    """Write one image layer as TIFF, with scale, units and history.

    Integers stay as they are, floats become float32.

    Raises
    ------
    UnusableStack
        If the layer is not a (t, y, x) stack.
    UnwritableFile
        If the file cannot be stored; nothing is left behind.
    """
    stack = stack_from(Layer.create(data, meta, "image"))
    kind = np.dtype(stack.data.dtype)
    written = write_stack(stack, path, dtype=kind if kind.kind in "ui" else None)
    return [str(written)]
