"""A table of particles that can be sorted, sifted and decided on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray
from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QKeyEvent, QMouseEvent, QPixmap, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QSlider,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_lowdose.particles import Verdict
from napari_lowdose.trust.decisions import Decision
from napari_lowdose.widgets.number_box import NumberBox
from napari_lowdose.widgets.panel import in_a_row
from napari_lowdose.widgets.particle_model import (
    COLUMNS,
    MOST_SUSPICIOUS,
    ParticleModel,
)
from napari_lowdose.widgets.verdicts import LOOKS

KEYS = {
    Qt.Key.Key_K: Decision.KEEP,
    Qt.Key.Key_R: Decision.REJECT,
    Qt.Key.Key_U: Decision.UNDECIDED,
}
_ROW_PX, _HEIGHT_PX = 19, 240
_FONT = "8pt"  # all columns have room in a narrow panel
_STEPS = 100  # of the slider
_NONE = pd.DataFrame({column.name: [] for column in COLUMNS})


class ParticleTable(QWidget):
    """The particles of a movie, one row for each in each frame.

    Signals
    -------
    picked
        Emitted with a particle's number when its row becomes the current one.
    sifted
        Emitted when other particles are shown than before.
    decided
        Emitted with particles' numbers, a decision, and whether it goes for their
        whole tracks.
    """

    picked = Signal(int)
    sifted = Signal()
    decided = Signal(object, object, bool)

    def __init__(self) -> None:
        super().__init__()
        self.model = ParticleModel()
        self.view = _View(self.model)
        self.least = NumberBox(whole=False, low=0, high=1, step=0.05)
        self.slider = _Slider()
        self.boxes = {verdict: _check_box(verdict) for verdict in LOOKS}
        self.count = QLabel()
        self._quiet = False
        self._lay_out()
        self._wire()
        self.show_particles(_NONE, ())

    def _lay_out(self) -> None:
        checks = QGridLayout()
        checks.setContentsMargins(0, 0, 0, 0)
        for place, box in enumerate(self.boxes.values()):
            checks.addWidget(box, place // 2, place % 2)
        for widget in (self.slider, self.least):
            widget.setToolTip("Show what is a phantom with at least this probability")
        self.least.setFixedWidth(80)
        self.view.setToolTip("K keeps, R rejects, U takes it back; Shift: whole track")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(in_a_row(QLabel("p ≥"), self.slider, self.least))
        column.addLayout(checks)
        column.addWidget(self.view)
        column.addWidget(self.count)

    def _wire(self) -> None:
        self.slider.valueChanged.connect(lambda at: self.least.setValue(at / _STEPS))
        self.least.valueChanged.connect(self._sift)
        for box in self.boxes.values():
            box.toggled.connect(self._sift)
        self.view.selectionModel().currentRowChanged.connect(self._tell)
        self.view.again.connect(self._tell)
        self.view.horizontalHeader().sortIndicatorChanged.connect(self._sort)
        self.view.decided.connect(
            lambda decision, whole: self.decided.emit(self.chosen, decision, whole)
        )

    def show_particles(
        self, particles: pd.DataFrame, decisions: Iterable[Decision]
    ) -> None:
        """Show other particles, the most suspicious first, none of them picked."""
        self.model.fill(particles, decisions)
        for verdict, box in self.boxes.items():
            n_rows = int(np.sum(self.model.verdicts == verdict))
            box.setText(f"{LOOKS[verdict].word} {n_rows:,}")
        self._sift()

    @property
    def current(self) -> int | None:
        """The number of the particle that is picked, if any is."""
        index = self.view.currentIndex()
        return self.model.number_at(index.row()) if index.isValid() else None

    @property
    def chosen(self) -> list[int]:
        """The numbers of the particles whose rows are selected."""
        rows = self.view.selectionModel().selectedRows()
        return [self.model.number_at(index.row()) for index in rows]

    @property
    def shown(self) -> Bool[ndarray, " n"]:
        """Which particles are shown, by number."""
        return self.model.shown

    def pick(self, number: int) -> None:
        """Go to a particle's row, as a click on it does."""
        place = self.model.place_of(number)
        if place >= 0:
            self.view.selectRow(place)
            self.view.scrollTo(self.model.index(place, 0))

    def _sift(self, *_changed: object) -> None:
        with self._keeping_the_row():
            verdicts, least = self.model.verdicts, self.least.number
            mask = np.ones(len(verdicts), bool)
            for verdict, box in self.boxes.items():
                if not box.isChecked():
                    mask &= verdicts != verdict
            if least > 0:
                mask &= self.model.p_phantom >= least
            self.model.sift(mask)
        self.slider.blockSignals(True)
        self.slider.setValue(round(least * _STEPS))
        self.slider.blockSignals(False)
        self.count.setText(f"{int(mask.sum()):,} of {len(mask):,}")
        self.sifted.emit()

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        with self._keeping_the_row():
            self.model.sort(column, order)

    @contextmanager
    def _keeping_the_row(self) -> Iterator[None]:
        """Stay on a particle, though its row moves."""
        number, self._quiet = self.current, True
        try:
            yield
            if number is not None:
                self.pick(number)
        finally:
            self._quiet = False

    def _tell(self, index: QModelIndex, *_before: QModelIndex) -> None:
        if index.isValid() and not self._quiet:
            self.picked.emit(self.model.number_at(index.row()))


class _View(QTableView):
    """Rows to walk through with the arrow keys, and to decide on with letters."""

    decided = Signal(object, bool)
    again = Signal(QModelIndex)  # a click on the row that is the current one already

    def __init__(self, model: ParticleModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setWordWrap(False)
        self.setIconSize(QSize(9, 9))
        self.setFixedHeight(_HEIGHT_PX)
        self.setMinimumWidth(60)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(_ROW_PX)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        # Fixed: a header that fits its sections would ask for each of 10,000 rows.
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        # napari's style sheet has the say over fonts.
        self.setStyleSheet(
            f"QTableView, QHeaderView::section {{font-size: {_FONT}; padding: 0}}"
        )
        header.setMinimumSectionSize(16)
        for place, column in enumerate(COLUMNS):
            self.setColumnWidth(place, column.width_px)
        header.setSortIndicator(*MOST_SUSPICIOUS)
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Tell also of a click that changes nothing: the user wants to go back."""
        before = self.currentIndex().row()
        super().mousePressEvent(event)
        if self.currentIndex().row() == before >= 0:
            self.again.emit(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Decide; other keys move as in any table."""
        if event is None or event.key() not in KEYS:
            super().keyPressEvent(event)
            return
        whole = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.decided.emit(KEYS[event.key()], whole)


class _Slider(QSlider):
    """From 0 to 1; the wheel is left to the panel, which scrolls."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, _STEPS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll the panel, unless the slider has the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
        else:
            super().wheelEvent(event)


def _check_box(verdict: Verdict) -> QCheckBox:
    """Make a box that shows or hides what has one verdict, marked by its colour."""
    look = LOOKS[verdict]
    box = QCheckBox(look.word)
    square = QPixmap(10, 10)
    square.fill(QColor(look.colour))
    box.setIcon(QIcon(square))
    box.setIconSize(QSize(10, 10))
    box.setChecked(True)
    box.setToolTip(f"Show what is {verdict}: {look.meaning}")
    return box
