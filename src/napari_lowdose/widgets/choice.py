"""Combo boxes that list what there is now and keep what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget


class Choice(QComboBox):
    """Choose one of several values by their names.

    Signals
    -------
    chosen
        Emitted when another value is chosen, by the user or because its list changed.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: list[Any] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(6)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda _index: self.chosen.emit())

    def minimumSizeHint(self) -> QSize:
        """Let long names be cut rather than widen the panel."""
        return QSize(60, super().minimumSizeHint().height())

    @property
    def values(self) -> tuple[Any, ...]:
        """What can be chosen, in order."""
        return tuple(self._values)

    @property
    def value(self) -> Any:  # noqa: ANN401 - whatever was listed
        """The chosen value; None when there is nothing to choose."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    @value.setter
    def value(self, value: object) -> None:
        before = self.value
        self.setCurrentIndex(self._index_of(value))
        if self.value is not before:
            self.chosen.emit()

    def offer(
        self, values: Sequence[Any], names: Sequence[str], *, prefer: object = None
    ) -> None:
        """List other values; keep the chosen one if it is among them.

        Parameters
        ----------
        values, names
            What can be chosen, and how each is called.
        prefer
            Chosen when the former choice is gone; None: the first.
        """
        before, chose = self.value, self.currentIndex() >= 0
        self._values = list(values)
        self.clear()
        self.addItems(list(names))
        kept = self._index_of(before) if chose else -1
        first = 0 if prefer is None else max(0, self._index_of(prefer))
        self.setCurrentIndex(kept if kept >= 0 else first)
        if self.value is not before:
            self.chosen.emit()

    def _index_of(self, value: object) -> int:
        return next((i for i, v in enumerate(self._values) if v == value), -1)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel, which scrolls, unless the box has the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
        else:
            super().wheelEvent(event)
