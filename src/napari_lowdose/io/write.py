"""Stacks to TIFF, whole or not at all, with scale and history."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Real
from numpy import ndarray
from numpy.typing import DTypeLike
from tifffile import imwrite

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io.atomic import PathLike, replacing
from napari_lowdose.io.history import Note
from napari_lowdose.io.units import escaped, unit_symbol
from napari_lowdose.stack import Stack

# A classic TIFF, the only kind that ImageJ reads, addresses 4 GiB, tags included.
_CLASSIC_BYTES = 2**32 - 2**25
_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
# Neither ImageJ's nor OME's format knows these.
_STORED_AS = {
    "bool": "uint8",
    "int64": "int32",
    "uint64": "uint32",
    "float16": "float32",
    "longdouble": "float64",
}


def write_stack(
    stack: Stack, path: PathLike, *, dtype: DTypeLike | None = None
) -> Path:
    """Write a stack as TIFF with its pixel size, frame interval and recipe.

    A name that ends in ``.ome.tif`` gives an OME-TIFF, any other ``.tif`` an ImageJ
    hyperstack. What ImageJ's format cannot hold (more than 4 GiB; other numbers than
    uint8, uint16 and float32; a single column; pixels below a millionth or above a
    million of their unit) is stored as OME-TIFF under the name given, as BigTIFF where
    it is large.

    Parameters
    ----------
    stack
        What to write; read frame by frame, so it may be larger than the memory.
    path
        Where to; an older file is replaced when the new one is complete.
    dtype
        Type of the numbers in the file, float32 if None. For an integer type the values
        are rounded and clipped. TIFF programs do not know 64-bit integers, so they are
        stored in 32 bits, and half precision in float32.

    Returns
    -------
    Path
        Where the file is.

    Warns
    -----
    UserWarning
        With the number of values that were clipped.

    Raises
    ------
    UnwritableFile
        If the place cannot be written to, or NaN should become an integer.
    ValueError
        If `dtype` is not an integer or floating-point type.
    """
    target, stored = Path(path), _stored(dtype)
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise UnwritableFile(
            f"cannot write {path}: stacks are stored as TIFF; "
            "give a name that ends in .tif or .ome.tif"
        )
    frames = _Frames(stack, stored, target)
    with replacing(target) as temporary:
        imwrite(
            temporary,
            iter(frames),
            shape=stack.shape,
            dtype=stored,
            photometric="minisblack",
            **_format(stack, target, stored),
        )
    if frames.n_clipped:
        limits = np.iinfo(stored)
        warnings.warn(
            f"{frames.n_clipped} of {np.prod(stack.shape)} values of {stack.name!r} "
            f"were clipped to {stored} ({limits.min} to {limits.max})",
            stacklevel=2,
        )
    return target


def _stored(dtype: DTypeLike | None) -> np.dtype[Any]:
    """Find the type to store: float32 unless told, one that TIFF programs know."""
    wanted = np.dtype(np.float32 if dtype is None else dtype)
    if wanted.kind not in "buif":
        raise ValueError(f"expected an integer or float type, got {wanted}")
    return np.dtype(_STORED_AS.get(wanted.name, wanted.name))


class _Frames:
    """The frames of a stack in the type of the file; counts what it clips."""

    def __init__(self, stack: Stack, dtype: np.dtype[Any], target: Path) -> None:
        self.stack = stack
        self.dtype = dtype
        self.target = target
        self.n_clipped = 0

    def __iter__(self) -> Iterator[Real[ndarray, "y x"]]:
        for index in range(self.stack.shape[0]):
            frame = np.asarray(self.stack.data[index])
            if self.dtype.kind == "f" or frame.dtype == self.dtype:
                yield frame.astype(self.dtype, copy=False)
            else:
                yield self._rounded(frame, index)

    def _rounded(self, frame: Real[ndarray, "y x"], index: int) -> Real[ndarray, "y x"]:
        # float64 holds every 32-bit integer; larger ones are clipped anyway.
        values = np.rint(frame.astype(np.float64))
        if np.isnan(values).any():
            raise UnwritableFile(
                f"cannot write {self.target} as {self.dtype}: frame {index} of "
                f"{self.stack.name!r} has NaN values; write float32 or replace them"
            )
        limits = np.iinfo(self.dtype)
        self.n_clipped += int(np.sum((values < limits.min) | (values > limits.max)))
        return values.clip(limits.min, limits.max).astype(self.dtype)


def _format(stack: Stack, target: Path, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Choose how tifffile writes: ImageJ's format where it can, OME's elsewhere."""
    n_bytes = int(np.prod(stack.shape)) * dtype.itemsize
    wants_ome = target.stem.lower().endswith(".ome")
    if wants_ome or not _fits_imagej(stack, n_bytes, dtype):
        return {
            "ome": True,
            "bigtiff": n_bytes > _CLASSIC_BYTES,
            "metadata": _ome(stack),
        }
    y, x = stack.pixel_size or (1.0, 1.0)
    return {"imagej": True, "resolution": (1 / x, 1 / y), "metadata": _imagej(stack)}


def _fits_imagej(stack: Stack, n_bytes: int, dtype: np.dtype[Any]) -> bool:
    # Its pixel size is a fraction of 32-bit integers; tifffile mistakes a single column
    # for a sample of a colour.
    edges = stack.pixel_size or (1.0, 1.0)
    return (
        dtype.name in _IMAGEJ_TYPES
        and n_bytes <= _CLASSIC_BYTES
        and stack.shape[2] > 1
        and all(1e-6 <= edge <= 1e6 for edge in edges)
    )


def _imagej(stack: Stack) -> dict[str, Any]:
    unit = unit_symbol(stack.pixel_unit) if stack.pixel_size else "pixel"
    # ImageJ shows "um" as µm, and every ImageJ knows it.
    fields: dict[str, Any] = {"axes": "TYX", "unit": escaped(unit.replace("µ", "u"))}
    if stack.frame_interval_s:
        fields |= {"finterval": stack.frame_interval_s, "tunit": "sec"}
    return {**fields, "Info": Note(stack.recipe).text()}


def _ome(stack: Stack) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "axes": "TYX",
        "Name": stack.name,
        "Description": Note(stack.recipe).text(),
    }
    if stack.pixel_size:
        unit = unit_symbol(stack.pixel_unit)
        for axis, edge in zip("YX", stack.pixel_size, strict=True):
            fields |= {f"PhysicalSize{axis}": edge, f"PhysicalSize{axis}Unit": unit}
    if stack.frame_interval_s:
        fields |= {"TimeIncrement": stack.frame_interval_s, "TimeIncrementUnit": "s"}
    return fields
