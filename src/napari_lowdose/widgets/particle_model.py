"""The rows of a table of particles: which, in which order, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor

from napari_lowdose.trust.decisions import Decision
from napari_lowdose.widgets.verdicts import LOOKS, look_of

_Role = Qt.ItemDataRole
_TOP = QModelIndex()
_MARKS = {Decision.KEEP: "✓", Decision.REJECT: "✗", Decision.UNDECIDED: ""}


@dataclass(frozen=True)
class Column:
    """What of a particle a column shows, and how."""

    name: str
    heading: str
    tooltip: str
    write: Callable[[Any], str]
    width_px: int


def written_share(value: float) -> str:
    """Write a probability as short as a narrow column needs it."""
    if not isfinite(value):
        return "–"
    if 0 < value < 0.01:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:.2f}".removeprefix("0").replace("1.00", "1")


def _percent(value: float) -> str:
    return f"{100 * value:.0f}" if isfinite(value) else "–"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _mark(decision: Decision) -> str:
    return _MARKS[decision]


def _word(verdict: str) -> str:
    return look_of(verdict).word


COLUMNS = (
    Column("decision", "", "Your decision: K keeps, R rejects", _mark, 17),
    Column("p_phantom", "p", "Probability of a phantom", written_share, 30),
    Column("verdict", "verdict", "What the evidence says", _word, 79),
    Column("frame", "frame", "Counted from 0", _whole, 39),
    Column("y", "y", "Row, in pixels", _whole, 30),
    Column("x", "x", "Column, in pixels", _whole, 30),
    Column(
        "p_held_out",
        "held\nout",
        "How often noise alone would give as much evidence in the frames before and "
        "after, in which the particle was not found",
        written_share,
        35,
    ),
    Column("support", "time\n(%)", "Share of frames around that show it", _percent, 31),
)
MOST_SUSPICIOUS = 1, Qt.SortOrder.DescendingOrder


class ParticleModel(QAbstractTableModel):
    """Particles, the most suspicious first; sorted and sifted by numpy.

    A `QSortFilterProxyModel` would ask Python to compare each pair of rows, which takes
    seconds at ten thousand. A particle's *number* is its row in the whole table, its
    *place* the row where it is shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, Sequence[Any]] = {column.name: () for column in COLUMNS}
        self._keys: dict[str, ndarray] = {}
        self._order = np.zeros(0, np.int64)
        self._mask = np.zeros(0, bool)
        self._numbers = np.zeros(0, np.int64)
        self._sorted_by = MOST_SUSPICIOUS

    def fill(self, particles: pd.DataFrame, decisions: Iterable[Decision]) -> None:
        """Show other particles, all of them."""
        self.beginResetModel()
        self._values = {
            column.name: particles[column.name].tolist()
            for column in COLUMNS
            if column.name in particles
        }
        self._values["decision"] = list(decisions)
        self._keys = {
            name: particles[name].to_numpy(float)
            for name in self._values
            if name in particles and name != "verdict"
        }
        self._keys["verdict"] = _doubt(particles["verdict"].to_numpy(object))
        self._mask = np.ones(len(particles), bool)
        self._arrange()
        self.endResetModel()

    @property
    def shown(self) -> Bool[ndarray, " n"]:
        """Which particles are shown, by number."""
        return self._mask.copy()

    @property
    def decisions(self) -> list[Decision]:
        """What was decided, by number."""
        return list(self._values["decision"])

    @property
    def p_phantom(self) -> Float[ndarray, " n"]:
        """The probability of each to be a phantom, by number."""
        return self._key("p_phantom")

    @property
    def verdicts(self) -> ndarray:
        """The verdict on each, by number."""
        return np.array(self._values["verdict"], object)

    def number_at(self, place: int) -> int:
        """Tell which particle is shown where."""
        return int(self._numbers[place])

    def place_of(self, number: int) -> int:
        """Tell where a particle is shown; -1: it is not."""
        found = np.flatnonzero(self._numbers == number)
        return int(found[0]) if len(found) else -1

    def sift(self, mask: Bool[ndarray, " n"]) -> None:
        """Show some of the particles, given by number."""
        self.beginResetModel()
        self._mask = mask
        self._numbers = self._order[self._mask[self._order]]
        self.endResetModel()

    def sort(
        self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder
    ) -> None:
        """Put rows in another order; what is not known comes last."""
        self.beginResetModel()
        self._sorted_by = column, order
        self._arrange()
        self.endResetModel()

    def decide(self, numbers: Iterable[int], decision: Decision) -> None:
        """Note what the user thinks of some particles."""
        decisions = list(self._values["decision"])
        for number in numbers:
            decisions[number] = decision
        self._values["decision"] = decisions
        bottom = max(0, len(self._numbers) - 1)
        self.dataChanged.emit(self.index(0, 0), self.index(bottom, 0))

    def _arrange(self) -> None:
        column, order = self._sorted_by
        keys = self._key(COLUMNS[column].name)
        keys = -keys if order == Qt.SortOrder.DescendingOrder else keys
        self._order = np.argsort(np.nan_to_num(keys, nan=np.inf), kind="stable")
        self._numbers = self._order[self._mask[self._order]]

    def _key(self, name: str) -> Float[ndarray, " n"]:
        if name == "decision":
            rank = {decision: rank for rank, decision in enumerate(Decision)}
            return np.array([rank[d] for d in self._values["decision"]], float)
        return self._keys.get(name, np.full(len(self._mask), np.nan))

    def rowCount(self, parent: QModelIndex = _TOP) -> int:
        """Count what is shown."""
        return 0 if parent.isValid() else len(self._numbers)

    def columnCount(self, parent: QModelIndex = _TOP) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = _Role.DisplayRole) -> Any:  # noqa: ANN401 - as Qt has it
        """Tell what a cell says and how it looks."""
        if not index.isValid():
            return None
        column = COLUMNS[index.column()]
        number = self._numbers[index.row()]
        if role == _Role.DisplayRole:
            values = self._values.get(column.name)
            return column.write(values[number]) if values else "–"
        if role == _Role.TextAlignmentRole:
            side = (
                Qt.AlignmentFlag.AlignLeft
                if column.name == "verdict"
                else Qt.AlignmentFlag.AlignRight
            )
            return side | Qt.AlignmentFlag.AlignVCenter
        verdict = self._values["verdict"][number]
        if role == _Role.DecorationRole and column.name == "verdict":
            return QColor(look_of(verdict).colour)
        if role == _Role.ToolTipRole and column.name == "verdict":
            return f"{verdict}: {look_of(verdict).meaning}"
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = _Role.DisplayRole,
    ) -> Any:  # noqa: ANN401 - as Qt has it
        """Tell what a column is called and what it means."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == _Role.DisplayRole:
            return COLUMNS[section].heading
        return COLUMNS[section].tooltip if role == _Role.ToolTipRole else None


def _doubt(verdicts: ndarray) -> Float[ndarray, " n"]:
    """Rank verdicts from the most doubtful on."""
    rank = np.full(len(verdicts), float(len(LOOKS)))
    for place, verdict in enumerate(LOOKS):
        rank[verdicts == verdict] = place
    return rank
