"""Leaving a comparison in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_lowdose.compare.picture import side_by_side
from napari_lowdose.compare.result import Result
from napari_lowdose.compare.table import table
from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io import write_stack
from napari_lowdose.io.atomic import PathLike, replacing
from napari_lowdose.stack import Stack

if TYPE_CHECKING:
    from PIL.Image import Image


def write_table(results: Sequence[Result], path: PathLike) -> Path:
    """Write the table as comma-separated values, whole or not at all.

    Raises
    ------
    UnwritableFile
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        table(results).to_csv(temporary, index=False)
    return Path(path)


def write_side_by_side(image: Image, path: PathLike) -> Path:
    """Write a picture as PNG, whole or not at all.

    Raises
    ------
    UnwritableFile
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")
    return Path(path)


def write_results(
    results: Sequence[Result],
    folder: PathLike,
    *,
    truth: Stack | None = None,
    frame: int | None = None,
) -> Path:
    """Leave every stack as a TIFF, table.csv and side-by-side.png in a folder.

    Parameters
    ----------
    results
        As `compare` yields them; each becomes ``<name>.tif``.
    folder
        Made if it does not exist.
    truth
        Also written, and drawn.
    frame
        Which frame to draw; by default the middle one.

    Raises
    ------
    UnwritableFile
        If the folder cannot be made or a file not be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(
            f"cannot make the folder {folder}: {error.strerror or error}; "
            "choose another place"
        ) from error
    for result in results:
        if result.stack is not None:
            write_stack(result.stack, folder / f"{result.name}.tif")
    if truth is not None:
        write_stack(truth, folder / "truth.tif")
    write_table(results, folder / "table.csv")
    if frame is None:
        lengths = [r.stack.shape[0] for r in results if r.stack is not None]
        frame = lengths[0] // 2 if lengths else 0
    picture = side_by_side(results, frame=frame, truth=truth)
    write_side_by_side(picture, folder / "side-by-side.png")
    return folder
