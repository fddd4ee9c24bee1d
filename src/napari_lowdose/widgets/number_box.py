"""A spin box for any number a schema may hold."""

from __future__ import annotations

from math import floor, log10

from qtpy.QtCore import Qt
from qtpy.QtGui import QValidator, QWheelEvent
from qtpy.QtWidgets import QDoubleSpinBox, QWidget

_DECIMALS = 12  # Qt's own default of 2 would turn 4e-4 into 0.0


class NumberBox(QDoubleSpinBox):
    """Edit an integer or a float of any size, shown as short as it can be.

    Integers use it too: Qt's integer box ends at 2**31, seeds at 2**32.

    Parameters
    ----------
    whole
        Whether only integers are allowed.
    low, high
        Least and greatest value.
    step
        What an arrow adds; None: a tenth of the value's leading digit.
    meaning_of_low
        Words to show instead of the least value, if it stands for something.
    """

    def __init__(
        self,
        *,
        whole: bool,
        low: float,
        high: float,
        step: float | None = None,
        meaning_of_low: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._whole = whole
        self._step = step
        self.setDecimals(0 if whole else _DECIMALS)
        self.setRange(low, high)
        self.setSpecialValueText(meaning_of_low)
        self.setKeyboardTracking(False)
        self.setMinimumWidth(80)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def number(self) -> float | int:
        """The value, as an integer where only integers are allowed."""
        return int(self.value()) if self._whole else self.value()

    def textFromValue(self, value: float) -> str:
        """Show 0.0004 as 0.0004 and a million as a million."""
        return f"{value:.0f}" if self._whole else f"{value:.10g}"

    def valueFromText(self, text: str | None) -> float:
        """Read what `validate` has let through."""
        return self.minimum() if self._is_special(text) else float(text or 0)

    def validate(
        self, text: str | None, position: int
    ) -> tuple[QValidator.State, str, int]:
        """Accept any way of writing a number, such as 4e-4."""
        text = text or ""
        return self._state_of(text), text, position

    def _state_of(self, text: str) -> QValidator.State:
        if self._is_special(text):
            return QValidator.State.Acceptable
        try:
            value = float(text)
        except ValueError:
            if set(text) <= set("0123456789+-.eE"):
                return QValidator.State.Intermediate
            return QValidator.State.Invalid
        inside = self.minimum() <= value <= self.maximum()
        if inside and not (self._whole and value != int(value)):
            return QValidator.State.Acceptable
        return QValidator.State.Intermediate

    def _is_special(self, text: str | None) -> bool:
        return bool(self.specialValueText()) and text == self.specialValueText()

    def stepBy(self, steps: int) -> None:
        """Move by a step that fits the size of the value."""
        self.setValue(self.value() + steps * self._step_at(self.value()))

    def _step_at(self, value: float) -> float:
        if self._step is not None:
            return self._step
        tenth = 10.0 ** (floor(log10(abs(value))) - 1) if value else 0.1
        return max(1.0, tenth) if self._whole else tenth

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel, which scrolls, unless the box has the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
        else:
            super().wheelEvent(event)
