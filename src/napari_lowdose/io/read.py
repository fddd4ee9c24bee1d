"""From files to a stack: the part of them that a user wants, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_lowdose.config import Reading
from napari_lowdose.errors import UnreadableFile, UnusableStack
from napari_lowdose.io.atomic import PathLike
from napari_lowdose.io.axes import picked, stated_axes
from napari_lowdose.io.metadata import Calibration
from napari_lowdose.io.series import (
    files_in,
    natural_order,
    series_layout,
    series_name,
    series_source,
    stack_name,
)
from napari_lowdose.io.tiff import Layout, Source, layout_of, source_of
from napari_lowdose.io.units import known_units, unit_name
from napari_lowdose.io.view import View
from napari_lowdose.stack import ArrayLike, Stack


@dataclass(frozen=True)
class Description:
    """What a file holds, so that a user can say which part to read.

    Parameters
    ----------
    axes
        One letter per axis: T time, Z slice, C channel, S colour, Y row, X column.
        Axes that the file leaves open are guessed; `Reading.axes` corrects them.
    shape
        Their lengths.
    dtype
        Type of the numbers.
    pixel_size
        Edges (y, x) of a pixel, in `pixel_unit`; None when unknown.
    pixel_unit
        Full name of a unit of length, or ``"pixel"``.
    frame_interval_s
        Time from one frame to the next, in seconds; None when unknown.
    channel_names
        In the order of the file; empty when unknown.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    pixel_size: tuple[float, float] | None
    pixel_unit: str
    frame_interval_s: float | None
    channel_names: tuple[str, ...]


def inspect(path: PathLike | Sequence[PathLike]) -> Description:
    """Say what a file, several files or a folder hold, without reading the pixels.

    Raises
    ------
    UnreadableFile
        As `read_stack`.
    UnusableStack
        If several files differ in shape or type, or one of them is a movie itself.
    """
    paths, _ = _files(path)
    layout = layout_of(paths[0]) if len(paths) == 1 else series_layout(paths)
    known = layout.calibration
    return Description(
        axes=layout.axes,
        shape=layout.shape,
        dtype=layout.dtype,
        pixel_size=known.pixel_size,
        pixel_unit=known.pixel_unit,
        frame_interval_s=known.frame_interval_s,
        channel_names=known.channel_names,
    )


def read_stack(
    path: PathLike | Sequence[PathLike],
    reading: Reading = Reading(),  # noqa: B008 - frozen
) -> Stack:
    """Read a movie from a TIFF of any kind, from several, or from a folder of them.

    Above 512 MiB the pixels stay in the file and are read where they are indexed.

    Parameters
    ----------
    path
        A plain, ImageJ, OME or BigTIFF file; or files of one image each (a sequence, or
        their folder), which become one movie in natural order.
    reading
        Which z and channel, which part, and what to know better than the file.

    Raises
    ------
    UnreadableFile
        If a file is missing, damaged, cut short, no TIFF, or holds several movies.
    UnusableStack
        If the file has no time axis, a choice is missing, or one does not fit it.
    """
    paths, name = _files(path)
    source = source_of(paths[0]) if len(paths) == 1 else series_source(paths)
    calibration = _known_better(source.layout.calibration, reading, name)
    return Stack(
        _part(source, reading, name),
        name=name,
        pixel_size=calibration.pixel_size,
        pixel_unit=calibration.pixel_unit,
        frame_interval_s=calibration.frame_interval_s,
        recipe=calibration.note.recipe if calibration.note else (),
    )


def _files(path: PathLike | Sequence[PathLike]) -> tuple[tuple[Path, ...], str]:
    """List the files meant, and name the stack."""
    single = isinstance(path, Path) or not isinstance(path, Sequence | list | tuple)
    given = [path] if single or isinstance(path, str) else list(path)  # type: ignore[arg-type]
    paths = tuple(sorted(map(Path, given), key=natural_order))  # type: ignore[arg-type]
    if not paths:
        raise UnreadableFile("no file was given; give a TIFF file or a folder of them")
    if len(paths) == 1 and paths[0].is_dir():
        return files_in(paths[0]), paths[0].resolve().name
    if len(paths) == 1:
        return paths, stack_name(paths[0])
    return paths, series_name(paths)


def _part(source: Source, reading: Reading, name: str) -> ArrayLike:
    """Take what the user wants, as (t, y, x)."""
    data, layout = source.data, source.layout
    shown = f"{name!r}"
    if layout.dtype.kind not in "buif":
        raise UnusableStack(
            f"{shown} holds {layout.dtype} numbers; save it as integers or floats first"
        )
    axes = _axes(layout, reading, shown)
    picks = picked(axes, layout.shape, reading, shown)
    t, y, x = (axes.index(axis) for axis in "TYX")
    view = View(data, picks, (t, y, x))
    if not isinstance(data, np.ndarray):
        return view
    if axes == "TYX" and view.shape == layout.shape and data.dtype.isnative:
        return data
    return view if isinstance(data, np.memmap) else np.ascontiguousarray(view[:])


def _axes(layout: Layout, reading: Reading, name: str) -> str:
    if not reading.axes.strip():
        return layout.axes
    return stated_axes(reading.axes, layout.shape, name)


def _known_better(known: Calibration, reading: Reading, name: str) -> Calibration:
    """Let what the user says replace what the file says, each on its own."""
    size, unit = known.pixel_size, known.pixel_unit
    if reading.pixel_unit.strip():
        unit = unit_name(reading.pixel_unit) or ""
        if not unit:
            raise UnusableStack(
                f"{reading.pixel_unit!r} is no unit of a pixel size; "
                f"give one of {known_units()}"
            )
    if reading.pixel_size:
        size = (reading.pixel_size, reading.pixel_size)
        if unit == "pixel":
            raise UnusableStack(
                f"a pixel size of {reading.pixel_size:g} for {name} needs its unit; "
                f"give one of {known_units()}"
            )
    return Calibration(
        size,
        unit if size else "pixel",
        reading.frame_interval_s or known.frame_interval_s,
        known.channel_names,
        known.note,
    )
