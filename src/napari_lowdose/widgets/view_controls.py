"""The buttons, boxes and sliders that choose how results are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.panel import in_a_row

_STEPS = 1000  # of the slider
_FASTEST, _USUAL = 4.0, 2.0  # hertz
_GAP_PX = 4


class Mode(StrEnum):
    """How results are looked at."""

    GRID = "Grid"  # all side by side
    CURTAIN = "Curtain"  # A left and B right of a line
    BLINK = "Blink"  # A and B in turn
    SINGLE = "Single"  # A alone


_TIPS: Mapping[Mode, str] = {
    Mode.GRID: "All methods side by side, with one contrast, camera and frame",
    Mode.CURTAIN: "A left and B right of a line that you can drag on the canvas",
    Mode.BLINK: "A and B in turn, in one place; key B switches by hand",
    Mode.SINGLE: "A alone",
}
_AGAIN = "Click again to see all layers as before"


class ViewControls(QWidget):
    """Rows of buttons, of two methods A and B, and of what moves between these.

    Signals
    -------
    asked
        Emitted with the mode whose button is clicked; None if it was on.
    chosen
        Emitted when A or B is another method.
    """

    asked = Signal(object)
    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons = {mode: _checkable(mode) for mode in Mode}
        self.a, self.b = Choice(), Choice()
        self.swap = QToolButton()
        self.edge = QSlider(Qt.Orientation.Horizontal)
        self.rate = QDoubleSpinBox()
        self._rate_row = QWidget()
        self._free = {self.a, self.b}  # what the user has not chosen in
        self._offering = False
        self._prepare()
        self._lay_out()
        self._wire()

    def _prepare(self) -> None:
        self.a.setToolTip("Left of the curtain, first when blinking, or alone")
        self.b.setToolTip("Right of the curtain, second when blinking")
        self.swap.setText("⇄")
        self.swap.setToolTip("Exchange A and B")
        self.edge.setRange(0, _STEPS)
        self.edge.setValue(_STEPS // 2)
        self.edge.setToolTip("Move the curtain; or drag its line on the canvas")
        self.rate.setRange(0.0, _FASTEST)
        self.rate.setSpecialValueText("by hand")
        self.rate.setSingleStep(0.5)
        self.rate.setDecimals(1)
        self.rate.setValue(_USUAL)
        self.rate.setSuffix(" Hz")
        self.rate.setToolTip("Pictures in a second; 0: by key B only")

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP_PX)
        column.addLayout(in_a_row(*self.buttons.values()))
        pair = QHBoxLayout()
        pair.setSpacing(_GAP_PX)
        pair.addWidget(QLabel("A"))
        pair.addWidget(self.a, 1)
        pair.addWidget(self.swap)
        pair.addWidget(QLabel("B"))
        pair.addWidget(self.b, 1)
        column.addLayout(pair)
        column.addWidget(self.edge)
        row = QHBoxLayout(self._rate_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.rate)
        row.addWidget(QLabel("key B switches by hand"), 1)
        column.addWidget(self._rate_row)

    def _wire(self) -> None:
        for mode, one in self.buttons.items():
            one.clicked.connect(
                lambda on, mode=mode: self.asked.emit(mode if on else None)
            )
        for choice in (self.a, self.b):
            choice.chosen.connect(lambda one=choice: self._choose(one))
        self.swap.clicked.connect(self._swap)

    def forget(self) -> None:
        """Choose anew by default."""
        self._free = {self.a, self.b}

    def offer(self, names: Sequence[str], a: str | None, b: str | None) -> None:
        """List methods; `a` and `b` are chosen unless the user has chosen others."""
        self._offering = True
        for choice, wanted in ((self.a, a), (self.b, b)):
            if choice.value not in names:
                self._free.add(choice)
            choice.offer(names, names, prefer=wanted)
            if choice in self._free and wanted is not None:
                choice.value = wanted
        self._offering = False

    def _choose(self, choice: Choice) -> None:
        if not self._offering:
            self._free.discard(choice)
            self.chosen.emit()

    def suit(self, mode: Mode | None, *, enough: bool) -> None:
        """Enable and show what matters in a mode, if there is enough to compare."""
        for own, one in self.buttons.items():
            one.setEnabled(enough)
            one.setChecked(enough and own is mode)
            one.setToolTip(_TIPS[own] + (f". {_AGAIN}" if own is mode else ""))
        for part in (self.a, self.swap):
            part.setEnabled(enough)
        self.b.setEnabled(enough and mode is not Mode.SINGLE)
        self.edge.setVisible(enough and mode is Mode.CURTAIN)
        self._rate_row.setVisible(enough and mode is Mode.BLINK)

    def _swap(self, _checked: bool = False) -> None:
        a, b = self.a.value, self.b.value
        self._free.clear()
        self._offering = True
        self.a.value, self.b.value = b, a
        self._offering = False
        self.chosen.emit()


def _checkable(mode: Mode) -> QPushButton:
    made = QPushButton(str(mode))
    made.setCheckable(True)
    return made
