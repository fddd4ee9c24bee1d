"""Tell files that cannot be read, in one sentence each."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tifffile import TiffFile, TiffFileError, TiffPageSeries

from napari_lowdose.errors import UnreadableFile
from napari_lowdose.io.atomic import PathLike

# What tifffile, imagecodecs and zarr were seen to raise on damaged files.
_SYMPTOMS = (
    TiffFileError,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    EOFError,
    MemoryError,
)
# Kinds of files that tell on the first page how many there are.
_COUNTED = ("shaped", "imagej")
# Bytes per value of a TIFF field type.
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_WIDTHS |= {13: 4, 16: 8, 17: 8, 18: 8}


@contextmanager
def refusing_damage(path: PathLike) -> Iterator[None]:
    """Turn whatever reading a file raises into one sentence.

    Raises
    ------
    UnreadableFile
        If the block fails because of the file.
    """
    try:
        yield
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {_reason(error)}") from error
    except _SYMPTOMS as error:
        if "not a TIFF file" in str(error):
            raise UnreadableFile(f"{path} is not a TIFF file") from error
        raise UnreadableFile(
            f"{path} is damaged or cut short; copy it again from where it was recorded"
        ) from error


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "you have no permission to read it"
    return error.strerror or str(error)


def refuse_cut(tif: TiffFile, series: TiffPageSeries, path: PathLike) -> None:
    """Refuse a file that ends before its pixels or its directory of pages do.

    tifffile itself fills what is missing with zeros, or overlooks the pages it cannot
    find; a movie would silently lose its end.
    """
    contiguous = series.dataoffset is not None
    if series.dataoffset is not None:
        whole = series.dataoffset + series.nbytes <= tif.filehandle.size
    else:
        whole = all(_pixels_are_whole(page) for page in series.pages)
    whole = whole and _next_page(tif, tif.pages.first) < tif.filehandle.size
    if not (contiguous and series.kind in _COUNTED):
        # Only now walk the whole directory: slow for many thousand pages.
        last = tif.pages[-1]
        whole = whole and _pixels_are_whole(last) and _next_page(tif, last) == 0
    if not whole:
        raise UnreadableFile(
            f"{path} is cut short; copy it again from where it was recorded"
        )


def _pixels_are_whole(page: Any) -> bool:  # noqa: ANN401 - TiffPage, TiffFrame, None
    if page is None or not page.dataoffsets:
        return False
    ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
    return bool(max(ends, default=0) <= page.parent.filehandle.size)


def _next_page(tif: TiffFile, page: Any) -> int:  # noqa: ANN401 - as above
    """Find where the page after this one starts, 0 after the last.

    Raises
    ------
    EOFError
        If one of this page's own fields lies behind the end of the file.
    """
    handle, layout = tif.filehandle, tif.tiff
    handle.seek(page.offset)
    (count,) = struct.unpack(layout.tagnoformat, handle.read(layout.tagnosize))
    fields = handle.read(count * layout.tagsize)
    (after,) = struct.unpack(layout.offsetformat, handle.read(layout.offsetsize))
    starts = range(0, len(fields), layout.tagsize)
    ends = (_end(tif, fields[start : start + layout.tagsize]) for start in starts)
    if max(ends, default=0) > handle.size:
        raise EOFError
    return int(after)


def _end(tif: TiffFile, field: bytes) -> int:
    """Find where a field's value ends in the file; 0 when it lies in the field."""
    layout = tif.tiff
    _, kind, count, value = struct.unpack(layout.tagheaderformat, field)
    size = _WIDTHS.get(kind, 0) * count
    if size <= layout.tagoffsetthreshold:
        return 0
    (start,) = struct.unpack(layout.offsetformat, value)
    return int(start + size)


def refuse_undecodable(series: TiffPageSeries, path: PathLike) -> None:
    """Refuse a compression or a number format that nothing here can decode."""
    page = series.keyframe
    try:
        page.decode(None, 0)
    except (ValueError, NotImplementedError) as error:
        how = getattr(page.compression, "name", page.compression)
        raise UnreadableFile(
            f"{path} stores its pixels in a way that cannot be read here "
            f"(compression {how}, {page.bitspersample} bits); "
            "save it uncompressed or with deflate"
        ) from error
