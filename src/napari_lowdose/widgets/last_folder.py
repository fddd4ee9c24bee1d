"""Ask where to save, in the folder of the last time."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QFileDialog, QWidget

_PLUGIN, _LAST_FOLDER = "napari-lowdose", "last folder of exports"


def ask_file(parent: QWidget, title: str, name: str, kinds: str) -> Path | None:
    """Ask for a file to write; None if the user thinks better of it."""
    proposed = Path(_last_folder()) / name
    chosen, kind = QFileDialog.getSaveFileName(parent, title, str(proposed), kinds)
    if not chosen:
        return None
    path = Path(chosen)
    _remember(path.parent)
    # Not every system's dialog adds the suffix of the chosen kind.
    suffix = kind.rpartition("*")[2].rstrip(")")
    return path if path.suffix else path.with_suffix(suffix)


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """Ask for a folder; None if the user thinks better of it."""
    chosen = QFileDialog.getExistingDirectory(parent, title, _last_folder())
    if not chosen:
        return None
    _remember(Path(chosen))
    return Path(chosen)


def _last_folder() -> str:
    return str(QSettings(_PLUGIN, _PLUGIN).value(_LAST_FOLDER, ""))


def _remember(folder: Path) -> None:
    QSettings(_PLUGIN, _PLUGIN).setValue(_LAST_FOLDER, str(folder))
