"""Ask for files and folders, beginning where the last ones of their kind were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QFileDialog, QWidget

_PLUGIN = "napari-lowdose"


@dataclass(frozen=True)
class LastFolder:
    """The folder that files of one kind were in last, also in earlier sessions.

    What is asked for is None, or empty, if the user thinks better of it.

    Parameters
    ----------
    key
        Under which the settings keep it.
    """

    key: str

    @property
    def path(self) -> str:
        """The folder; empty at first."""
        return str(QSettings(_PLUGIN, _PLUGIN).value(self.key, ""))

    def remember(self, folder: Path) -> None:
        """Keep a folder."""
        QSettings(_PLUGIN, _PLUGIN).setValue(self.key, str(folder))

    def ask_where_to_save(
        self, parent: QWidget, title: str, name: str, kinds: str
    ) -> Path | None:
        """Ask for a file to write."""
        proposed = str(Path(self.path) / name)
        chosen, kind = QFileDialog.getSaveFileName(parent, title, proposed, kinds)
        if not chosen:
            return None
        path = Path(chosen)
        self.remember(path.parent)
        # Not every system's dialog adds the suffix of the chosen kind.
        suffix = (kind or kinds).rpartition("*")[2].rstrip(")")
        return path if path.suffix else path.with_suffix(suffix)

    def ask_for_files(self, parent: QWidget, title: str, kinds: str) -> list[Path]:
        """Ask for files to read."""
        chosen, _ = QFileDialog.getOpenFileNames(parent, title, self.path, kinds)
        if chosen:
            self.remember(Path(chosen[0]).parent)
        return [Path(name) for name in chosen]

    def ask_for_file(self, parent: QWidget, title: str, kinds: str) -> Path | None:
        """Ask for a file to read."""
        chosen, _ = QFileDialog.getOpenFileName(parent, title, self.path, kinds)
        if not chosen:
            return None
        self.remember(Path(chosen).parent)
        return Path(chosen)

    def ask_for_folder(self, parent: QWidget, title: str) -> Path | None:
        """Ask for a folder, to read or to write."""
        chosen = QFileDialog.getExistingDirectory(parent, title, self.path)
        if not chosen:
            return None
        self.remember(Path(chosen))
        return Path(chosen)


EXPORTS = LastFolder("last folder of exports")
RECIPES = LastFolder("last folder of recipes")
STACKS = LastFolder("last folder")
