"""The comparisons so far: choose one, name it, save it, take it away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QListWidget, QMessageBox, QPushButton, QVBoxLayout, QWidget
from qtpy.QtWidgets import QListWidgetItem as Item

from napari_lowdose.compare import Kind
from napari_lowdose.widgets import comparison_files
from napari_lowdose.widgets.compared import NOISY, TRUTH, Compared
from napari_lowdose.widgets.last_folder import EXPORTS
from napari_lowdose.widgets.layers import recipe_of
from napari_lowdose.widgets.panel import Panel, button, in_a_row

_MOST_ROWS = 6  # that are seen without scrolling
_WEB = "Web pages (*.html)"


class ResultShelf(QWidget):
    """A list of comparisons, the newest on top, and what can be done with one.

    Parameters
    ----------
    panel
        Where it is told how saving went; its closing ends it.
    viewer
        Where the layers are.

    Signals
    -------
    chosen
        Emitted with the comparison that the user picks; None when the last one goes.
    """

    chosen = Signal(object)

    def __init__(self, panel: Panel, viewer: ViewerModel) -> None:
        super().__init__()
        self._panel, self._viewer = panel, viewer
        self._kept: list[Compared] = []
        self.list = QListWidget()
        self.list.setToolTip("Click to show a comparison, double click to rename it")
        self.save = button("Save…", "Layers, table, picture and report in a folder")
        self.report = button(
            "Report…", "One HTML file to read or to send; it is opened"
        )
        self.command = button(
            "Command",
            "Copy the command that makes the selected result again; the whole "
            "comparison, if none is selected",
        )
        self.delete = button("Delete", "Remove this comparison and its layers")
        self.delete_others = button(
            "Delete all others", "Remove all but this comparison, with their layers"
        )
        self._lay_out()
        self._wire()
        self.set_ready()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.list)
        column.addLayout(in_a_row(self.save, self.report, self.command))
        column.addLayout(in_a_row(self.delete, self.delete_others))

    def _wire(self) -> None:
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemChanged.connect(self._rename)
        self.save.clicked.connect(self._ask_where_to_save)
        self.report.clicked.connect(self._ask_where_to_report)
        self.command.clicked.connect(self._copy)
        self.delete.clicked.connect(self._delete)
        self.delete_others.clicked.connect(self._delete_others)

    @property
    def compared(self) -> Compared | None:
        """The comparison that is chosen."""
        row = self.list.currentRow()
        return self._kept[row] if 0 <= row < len(self._kept) else None

    @property
    def kept(self) -> Sequence[Compared]:
        """All comparisons, the newest first."""
        return tuple(self._kept)

    def keep(self, compared: Compared) -> None:
        """Put a new comparison on top and choose it, without telling so."""
        compared.title = _unused(compared.title, [one.title for one in self._kept])
        self._kept.insert(0, compared)
        item = Item(compared.title)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        with QSignalBlocker(self.list):
            self.list.insertItem(0, item)
            self.list.setCurrentRow(0)
        compared.changed.connect(self.set_ready)
        self.set_ready()

    def save_to(self, folder: Path) -> None:
        """Write layers, table, picture and report, in the background."""
        if self.compared is not None:
            comparison_files.save(self.compared, folder, self._panel)

    def report_to(self, path: Path) -> None:
        """Write the report, in the background, and open it."""
        if self.compared is not None:
            comparison_files.report(self.compared, path, self._panel)

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        compared = self.compared
        full = compared is not None and bool(compared.results)
        for one in self._buttons_of_results:
            one.setEnabled(full)
        self.delete.setEnabled(compared is not None)
        self.delete_others.setEnabled(len(self._kept) > 1)
        rows = min(max(self.list.count(), 2), _MOST_ROWS)
        height = self.list.sizeHintForRow(0) if self.list.count() else 18
        self.list.setFixedHeight(rows * max(height, 18) + 6)

    @property
    def _buttons_of_results(self) -> tuple[QPushButton, ...]:
        return self.save, self.report, self.command

    def _choose(self, _row: int) -> None:
        compared = self.compared
        if compared is not None:
            self._show(compared)
        self.set_ready()
        self.chosen.emit(compared)

    def _show(self, compared: Compared) -> None:
        """Show the layers of one comparison, and hide those of the others."""
        ours = [*compared.layers.values()]
        for other in self._kept:
            for layer in other.layers.values():
                layer.visible = layer in ours

    def _rename(self, item: Item) -> None:
        compared = self._kept[self.list.row(item)]
        compared.title = item.text().strip() or compared.title
        with QSignalBlocker(self.list):
            item.setText(compared.title)

    def _delete(self, _checked: bool = False) -> None:
        if self.compared is not None and self._sure([self.compared]):
            self._remove([self.compared])

    def _delete_others(self, _checked: bool = False) -> None:
        others = [one for one in self._kept if one is not self.compared]
        if others and self._sure(others):
            self._remove(others)

    def _sure(self, gone: Sequence[Compared]) -> bool:
        names = ", ".join(repr(one.title) for one in gone[:3])
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        layers = len(self._layers_of(gone))
        answer = QMessageBox.question(
            self,
            "Delete comparisons",
            f"Delete {names}{more}, with {layers} layers of results? What was not "
            "saved has to be made again.",
        )
        return bool(answer == QMessageBox.StandardButton.Yes)

    def _remove(self, gone: Sequence[Compared]) -> None:
        before = self.compared
        layers = self._layers_of(gone)
        for compared in gone:
            row = self._kept.index(compared)
            with QSignalBlocker(self.list):
                self.list.takeItem(row)
            del self._kept[row]
            compared.changed.disconnect(self.set_ready)
            compared.leave()
        for layer in layers:
            self._viewer.layers.remove(layer)
        if self.compared is not before:
            self._choose(self.list.currentRow())
        self.set_ready()

    def _layers_of(self, gone: Sequence[Compared]) -> list[Layer]:
        """Find the layers to go: results that no other comparison shows."""
        stay = [one for one in self._kept if one not in gone]
        shown = {layer for one in stay for layer in one.layers.values()}
        found = (layer for one in gone for layer in _results_of(one))
        return [one for one in dict.fromkeys(found) if one not in shown]

    def _copy(self, _checked: bool = False) -> None:
        compared = self.compared
        if compared is None:
            return
        active = self._viewer.layers.selection.active
        there = compared.layers
        picked = [r for r in compared.results if active and there.get(r.name) is active]
        command = comparison_files.one_command(compared, picked[0]) if picked else ""
        if not command:
            with self._panel.reporting():
                command = comparison_files.whole_command(compared)
        if command:
            QGuiApplication.clipboard().setText(command)
            self._panel.say(f"copied: {command}")

    def _ask_where_to_save(self, _checked: bool = False) -> None:
        folder = EXPORTS.ask_for_folder(self, "Where to save the comparison")
        if folder is not None:
            self.save_to(folder)

    def _ask_where_to_report(self, _checked: bool = False) -> None:
        path = EXPORTS.ask_where_to_save(
            self, "Report of the comparison", "report.html", _WEB
        )
        if path is not None:
            self.report_to(path)


def _results_of(compared: Compared) -> list[Layer]:
    """List the layers that a comparison has made, not those that it was given."""
    given = {r.name for r in compared.results if r.kind is Kind.FILE}
    return [
        layer
        for name, layer in compared.layers.items()
        if name not in (NOISY, TRUTH) and not (name in given and not _taken_over(layer))
    ]


def _taken_over(layer: Layer) -> bool:
    """Tell whether a layer is our copy of a result made elsewhere."""
    recipe = recipe_of(layer.metadata)
    return bool(recipe) and recipe[-1].get("step") == "take over"


def _unused(title: str, taken: Sequence[str]) -> str:
    """Give a title that is in use a number."""
    numbers = (f"{title} {number}" for number in range(2, len(taken) + 3))
    return title if title not in taken else next(n for n in numbers if n not in taken)
