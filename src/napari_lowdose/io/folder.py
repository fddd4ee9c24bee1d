"""A folder for results."""

from __future__ import annotations

from pathlib import Path

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io.atomic import PathLike


def made_folder(path: PathLike) -> Path:
    """Make a folder, with those that it lies in, unless it is there.

    Raises
    ------
    UnwritableFile
        If it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(
            f"cannot make the folder {folder}: {error.strerror or error}; "
            "choose another place"
        ) from error
    return folder
