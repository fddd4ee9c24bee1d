"""A folder of movies in, a folder of results out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from napari_lowdose.io.folder import made_folder
from napari_lowdose.io.series import files_in


def outputs_for(
    source: Path, folder: Path, suffix: str = "denoised"
) -> list[tuple[Path, Path]]:
    """Pair each TIFF file of a folder with the file that its result goes to.

    Parameters
    ----------
    source
        Holds the movies, one in each file.
    folder
        For the results; made if it does not exist.
    suffix
        Ends the names of the results.

    Raises
    ------
    ValueError
        If both folders are the same.
    UnreadableFile
        If there are no files.
    UnwritableFile
        If the folder cannot be made.
    """
    paths = files_in(source)
    if folder.resolve() == source.resolve():
        raise ValueError(f"expected another folder than {folder} for the results")
    made_folder(folder)
    often = Counter(path.stem for path in paths)
    return [
        (
            path,
            folder
            / f"{path.stem if often[path.stem] == 1 else path.name}-{suffix}.tif",
        )
        for path in paths
    ]
