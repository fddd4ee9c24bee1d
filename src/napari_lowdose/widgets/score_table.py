"""A table of scores, one row per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget
from qtpy.QtWidgets import QTableWidgetItem as Item

from napari_lowdose.compare import Result, best
from napari_lowdose.metrics import Score
from napari_lowdose.widgets.score_column import MEMORY, METHOD, TIME, Column, columns_of

_NAME = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MOST_ROWS = 12  # that are seen without scrolling


class ScoreTable(QTableWidget):
    """Rows of methods, also of failed ones; the best of each column is bold.

    A click on a heading sorts by it, another the other way round, a third as the
    methods came; what has no number is always last. Ctrl+C copies the table as text.

    Parameters
    ----------
    scores
        How each score is to be read, by its name.

    Signals
    -------
    picked
        Emitted with a method's name when its row is chosen.
    """

    picked = Signal(str)

    def __init__(self, scores: Mapping[str, Score]) -> None:
        super().__init__(0, 1)
        self._every = {column.name: column for column in columns_of(scores)}
        self._scores = scores
        self._results: Sequence[Result] = ()
        self._wanted: Sequence[str] = (TIME, MEMORY, *scores)
        self._shown: list[Column] = []
        self._sorted_by = ""
        self._upwards = True
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(36)
        header.setSectionsClickable(True)
        header.sectionClicked.connect(self._sort_by)
        self.itemSelectionChanged.connect(self._pick)
        self._fill()

    def show_results(self, results: Sequence[Result]) -> None:
        """Show these results instead of all others; the order and the choice stay."""
        self._results = tuple(results)
        self._fill()

    def show_columns(self, names: Sequence[str]) -> None:
        """Choose columns beside the method's; those without any number stay hidden."""
        self._wanted = tuple(names)
        self._fill()

    @property
    def columns(self) -> Sequence[str]:
        """The scores that are shown, from left to right."""
        return [one.name for one in self._shown if one.name in self._scores]

    @property
    def methods(self) -> Sequence[str]:
        """The methods from top to bottom."""
        return [self.item(row, 0).data(_NAME) for row in range(self.rowCount())]

    def pick(self, method: str) -> None:
        """Choose a method's row without telling so."""
        with QSignalBlocker(self):
            self._select(method)

    def text(self) -> str:
        """Write what is shown as a table for programs that read tabs."""
        lines = ["\t".join(["method", *(one.heading for one in self._shown)])]
        for result in self._in_order():
            values = [one.value(result) for one in self._shown]
            lines.append(
                "\t".join([result.name, *(f"{value:.6g}" for value in values)])
            )
        return "\n".join(line.replace("\n", " ") for line in lines) + "\n"

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Copy the table, the heading with it."""
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
        else:
            super().keyPressEvent(event)

    def _fill(self) -> None:
        chosen = self._chosen()
        self._shown = [
            self._every[name]
            for name in self._wanted
            if name in self._every and self._every[name].known(self._results)
        ]
        with QSignalBlocker(self):
            self.setColumnCount(1 + len(self._shown))
            self.setRowCount(len(self._results))
            for number, column in enumerate((METHOD, *self._shown)):
                heading = Item(column.heading)
                heading.setToolTip(column.tooltip)
                self.setHorizontalHeaderItem(number, heading)
            ordered = self._in_order()
            for number, column in enumerate(self._shown, 1):
                winner = best(self._results, column.name) if column.how else ""
                for row, result in enumerate(ordered):
                    self.setItem(row, number, _cell(column, result, winner))
            for row, result in enumerate(ordered):
                self.setItem(row, 0, _first_cell(result))
            self._select(chosen)
        self._mark_order()
        self._fit()

    def _in_order(self) -> list[Result]:
        column = self._every.get(self._sorted_by)
        if self._sorted_by == METHOD.name:
            return sorted(
                self._results, key=lambda r: r.name.lower(), reverse=not self._upwards
            )
        if column is None or column not in self._shown:
            return [*self._results]
        return column.sorted(self._results, upwards=self._upwards)

    def _sort_by(self, section: int) -> None:
        column = METHOD if section == 0 else self._shown[section - 1]
        if self._sorted_by != column.name:
            self._sorted_by, self._upwards = column.name, not column.best_is_high
        elif self._upwards != column.best_is_high:
            self._upwards = not self._upwards
        else:
            self._sorted_by = ""
        self._fill()

    def _mark_order(self) -> None:
        header = self.horizontalHeader()
        names = [METHOD.name, *(one.name for one in self._shown)]
        shown = self._sorted_by in names
        header.setSortIndicatorShown(shown)
        if shown:
            order = Qt.SortOrder
            way = order.AscendingOrder if self._upwards else order.DescendingOrder
            header.setSortIndicator(names.index(self._sorted_by), way)

    def _fit(self) -> None:
        """Show every row, and share the width."""
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        shown = min(self.rowCount(), _MOST_ROWS)
        rows = sum(self.rowHeight(row) for row in range(shown))
        self.setFixedHeight(max(80, rows + header.sizeHint().height() + 20))

    def _chosen(self) -> str:
        rows = {index.row() for index in self.selectedIndexes()}
        return self.methods[rows.pop()] if len(rows) == 1 else ""

    def _select(self, method: str) -> None:
        self.clearSelection()
        if method in self.methods:
            self.selectRow([*self.methods].index(method))

    def _pick(self) -> None:
        chosen = self._chosen()
        if chosen:
            self.picked.emit(chosen)


def _first_cell(result: Result) -> Item:
    item = Item(result.name.replace("_", " "))
    item.setData(_NAME, result.name)
    item.setToolTip(result.error or "\n".join((result.criterion, *result.notes)))
    return _greyed(item, result)


def _cell(column: Column, result: Result, winner: str) -> Item:
    item = Item(column.text(result))
    item.setTextAlignment(_RIGHT)
    item.setToolTip(result.error or column.hint(result))
    font = item.font()
    font.setBold(result.name == winner)
    item.setFont(font)
    return _greyed(item, result)


def _greyed(item: Item, result: Result) -> Item:
    """Show that a method failed."""
    if result.error:
        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
    return item
