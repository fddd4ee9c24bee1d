"""Open one TIFF file of any kind, lazily when it is large."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray
from tifffile import TiffFile, TiffPageSeries

from napari_lowdose.errors import UnreadableFile
from napari_lowdose.io.atomic import PathLike
from napari_lowdose.io.axes import guessed_axes
from napari_lowdose.io.damage import refuse_cut, refuse_undecodable, refusing_damage
from napari_lowdose.io.metadata import Calibration, calibration_of
from napari_lowdose.io.view import Pages
from napari_lowdose.stack import ArrayLike

LAZY_ABOVE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Layout:
    """What is in a file, without its pixels.

    Parameters
    ----------
    axes
        One letter of TZCYXS per axis, open ones guessed.
    shape
        Their lengths.
    dtype
        Type of the numbers, in this machine's byte order.
    calibration
        What the file says beside the pixels.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    calibration: Calibration


@dataclass(frozen=True)
class Source:
    """All of a file's pixels, in memory or read when indexed."""

    data: ArrayLike
    layout: Layout


def layout_of(path: PathLike) -> Layout:
    """Read what is in a file; its pixels are checked to be there, but not read."""
    with refusing_damage(path), TiffFile(_file(path)) as tif:
        return _layout(tif, _series(tif, path))


def source_of(path: PathLike) -> Source:
    """Read a file that is small; open one that is large.

    Raises
    ------
    UnreadableFile
        If it is missing, no TIFF, damaged, cut short, or holds several movies.
    """
    with refusing_damage(path), ExitStack() as handles:
        tif = handles.enter_context(TiffFile(_file(path)))
        series = _series(tif, path)
        layout = _layout(tif, series)
        squeezed = layout.shape != tuple(series.shape)
        if squeezed or series.nbytes <= LAZY_ABOVE_BYTES:
            return Source(series.asarray().reshape(layout.shape), layout)
        if series.dataoffset is not None and series.keyframe.is_memmappable:
            return Source(_mapped(tif, series, path), layout)
        return Source(_decoded_when_indexed(series, path, handles), layout)


def image_of(path: PathLike) -> Shaped[ndarray, "..."]:
    """Read a file of a single image, whatever other files its OME-XML names."""
    with refusing_damage(path), TiffFile(_file(path), is_ome=False) as tif:
        return np.asarray(_series(tif, path).asarray())


def image_layout_of(path: PathLike) -> Layout:
    """Read what is in the file of a single image, without its pixels."""
    with refusing_damage(path), TiffFile(_file(path), is_ome=False) as tif:
        return _layout(tif, _series(tif, path))


def _file(path: PathLike) -> Path:
    file = Path(path)
    if not file.exists():
        raise UnreadableFile(f"there is no file {path}")
    if not file.is_file():
        raise UnreadableFile(f"{path} is not a file; give the name of a TIFF file")
    if not file.stat().st_size:
        raise UnreadableFile(f"{path} is empty; copy it again")
    return file


def _series(tif: TiffFile, path: PathLike) -> TiffPageSeries:
    """Find the one movie in a file, and make sure that it is complete."""
    found = [series for series in tif.series if not series.keyframe.is_reduced]
    if not found:
        raise UnreadableFile(f"{path} holds no image; copy it again")
    if len(found) > 1:
        shapes = ", ".join(" x ".join(map(str, series.shape)) for series in found[:4])
        raise UnreadableFile(
            f"{path} holds {len(found)} movies or images of different kinds "
            f"({shapes}); save the one you want as its own file"
        )
    refuse_cut(tif, found[0], path)
    refuse_undecodable(found[0], path)
    return found[0]


def _layout(tif: TiffFile, series: TiffPageSeries) -> Layout:
    calibration = calibration_of(tif)
    axes, shape = guessed_axes(series.axes, series.shape), tuple(series.shape)
    if calibration.note and axes == "YX":
        # ImageJ's and OME's readers drop axes of length one; we wrote a stack.
        axes, shape = "TYX", (1, *shape)
    return Layout(axes, shape, series.dtype.newbyteorder("="), calibration)


def _mapped(tif: TiffFile, series: TiffPageSeries, path: PathLike) -> ArrayLike:
    return np.memmap(
        Path(path),
        dtype=series.dtype.newbyteorder(tif.byteorder),
        mode="r",
        offset=int(series.dataoffset or 0),
        shape=tuple(series.shape),
    )


def _decoded_when_indexed(
    series: TiffPageSeries, path: PathLike, handles: ExitStack
) -> Pages:
    import zarr

    array = zarr.open_array(series.aszarr(level=0), mode="r")
    return Pages(array, path=path, close=handles.pop_all().close)
