"""A slider over several powers of ten."""

from __future__ import annotations

from math import log10

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QSlider

_STEPS_PER_DECADE = 100  # 2 % per step


class LogSlider(QSlider):
    """Choose a positive number by its size; others stay, shown at the nearer end.

    Parameters
    ----------
    low, high
        The values at its ends.

    Signals
    -------
    moved
        Emitted with the new number when the user moves the slider.
    """

    moved = Signal(float)

    def __init__(self, low: float, high: float) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._low, self._high = low, high
        self.setRange(0, round(log10(high / low) * _STEPS_PER_DECADE))
        self.setSingleStep(2)
        self.setPageStep(_STEPS_PER_DECADE // 2)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self._tell)

    def _tell(self, step: int) -> None:
        number = self._low * 10 ** (step / _STEPS_PER_DECADE)
        self.moved.emit(float(f"{number:.3g}"))

    def show_number(self, number: float) -> None:
        """Move to a number, without telling."""
        inside = min(max(number, self._low), self._high)
        blocked = self.blockSignals(True)
        self.setValue(round(log10(inside / self._low) * _STEPS_PER_DECADE))
        self.blockSignals(blocked)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel, which scrolls, unless the slider has focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
        else:
            super().wheelEvent(event)
