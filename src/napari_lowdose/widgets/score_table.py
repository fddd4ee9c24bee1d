"""A table of scores, one row per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget
from qtpy.QtWidgets import QTableWidgetItem as Item

from napari_lowdose.metrics import Score


class ScoreTable(QTableWidget):
    """Rows of methods and columns of scores; the best of each column is bold.

    Parameters
    ----------
    scores
        How each column is to be read, by its name.

    Signals
    -------
    picked
        Emitted with a method's name when its row is chosen.
    """

    picked = Signal(str)

    def __init__(self, scores: Mapping[str, Score]) -> None:
        super().__init__(0, 1)
        self._scores = scores
        self._rows: dict[str, Mapping[str, float]] = {}
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMinimumHeight(120)
        self.itemSelectionChanged.connect(self._pick)
        self.clear_rows()

    def clear_rows(self) -> None:
        """Start anew."""
        self._rows = {}
        self._fill()

    def add_row(self, method: str, scores: Mapping[str, float]) -> None:
        """Add a method, or replace its scores."""
        self._rows[method] = scores
        self._fill()

    @property
    def columns(self) -> Sequence[str]:
        """The scores that any method has, in their usual order."""
        rows = self._rows.values()
        return [name for name in self._scores if any(name in row for row in rows)]

    def _fill(self) -> None:
        columns = self.columns
        self.blockSignals(True)
        self.setColumnCount(1 + len(columns))
        self.setRowCount(len(self._rows))
        self.setHorizontalHeaderLabels(["method", *map(self._heading, columns)])
        for column, name in enumerate(columns, 1):
            tooltip = f"{self._scores[name].summary} ({self._scores[name].direction})"
            self.horizontalHeaderItem(column).setToolTip(tooltip)
            best = self.best(name)
            for row, (method, scores) in enumerate(self._rows.items()):
                item = Item(_written(scores.get(name, nan)))
                item.setTextAlignment(
                    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
                font = item.font()
                font.setBold(method == best)
                item.setFont(font)
                self.setItem(row, column, item)
        for row, method in enumerate(self._rows):
            self.setItem(row, 0, Item(method.replace("_", " ")))
        self.blockSignals(False)
        self._fit()

    def _fit(self) -> None:
        """Show every row, and share the width."""
        header = self.horizontalHeader()
        header.setMinimumSectionSize(36)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(max(80, rows + header.sizeHint().height() + 20))

    def _heading(self, name: str) -> str:
        unit = self._scores[name].unit
        words = name.replace("_", "\n")
        return f"{words}\n({unit})" if unit else words

    def best(self, name: str) -> str:
        """Find the method with the best value of a score; empty when none has one."""
        values = {
            method: scores[name]
            for method, scores in self._rows.items()
            if isfinite(scores.get(name, nan))
        }
        if not values:
            return ""
        choose = max if self._scores[name].higher_is_better else min
        return choose(values, key=values.__getitem__)

    def _pick(self) -> None:
        rows = {index.row() for index in self.selectedIndexes()}
        if len(rows) == 1:
            self.picked.emit([*self._rows][rows.pop()])


def _written(value: float) -> str:
    """Write a score with as many digits as a narrow column has room for."""
    if not isfinite(value):
        return "–"
    digits = 3 if abs(value) >= 0.01 else 1
    return f"{value:.{digits}g}"
