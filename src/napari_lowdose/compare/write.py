"""Leaving a comparison in a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from napari_lowdose.compare.picture import side_by_side
from napari_lowdose.compare.report import write_report
from napari_lowdose.compare.result import Result
from napari_lowdose.compare.table import table
from napari_lowdose.io import write_stack
from napari_lowdose.io.atomic import PathLike, replacing
from napari_lowdose.io.folder import made_folder
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
    command: str = "",
) -> Path:
    """Leave stacks as TIFFs, table.csv, side-by-side.png and report.html in a folder.

    Parameters
    ----------
    results
        As `compare` yields them; each becomes ``<name>.tif``, with hyphens for what a
        file's name should not hold.
    folder
        Made if it does not exist.
    truth
        Also written, and drawn.
    frame
        Which frame to draw; by default the middle one.
    command
        What repeats the comparison; for the report.

    Raises
    ------
    UnwritableFile
        If the folder cannot be made or a file not be written.
    """
    folder = made_folder(folder)
    stems = file_stems([result.name for result in results])
    for result, stem in zip(results, stems, strict=True):
        if result.stack is not None:
            write_stack(result.stack, folder / f"{stem}.tif")
    if truth is not None:
        write_stack(truth, folder / "truth.tif")
    write_table(results, folder / "table.csv")
    if frame is None:
        lengths = [r.stack.shape[0] for r in results if r.stack is not None]
        frame = lengths[0] // 2 if lengths else 0
    picture = side_by_side(results, frame=frame, truth=truth)
    write_side_by_side(picture, folder / "side-by-side.png")
    write_report(
        results, folder / "report.html", truth=truth, frame=frame, command=command
    )
    return folder


def file_stems(names: Sequence[str]) -> list[str]:
    """Give each name a stem for files; no two are alike, nor that of the truth.

    Examples
    --------
    >>> file_stems(["fast", "fast xy", "fast-xy", "truth"])
    ['fast', 'fast-xy', 'fast-xy-2', 'truth-2']
    """
    used = {"truth"}
    stems = []
    for name in names:
        plain = stem = re.sub(r"[^\w.()]+", "-", name).strip("-.") or "result"
        numbers = count(2)
        # Some systems do not tell upper from lower case.
        while stem.lower() in used:
            stem = f"{plain}-{next(numbers)}"
        used.add(stem.lower())
        stems.append(stem)
    return stems
