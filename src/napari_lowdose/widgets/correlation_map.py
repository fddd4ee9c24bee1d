"""How the noise of a pixel goes with that of its neighbours, as a small picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from qtpy.QtCore import QEvent, QRect, QSize, Qt
from qtpy.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

_CELL_PX = 30
_POSITIVE, _NEGATIVE = QColor("#ffb454"), QColor("#5fb0ff")
_FULL = 0.3  # a correlation of the strongest colour; the centre's is always 1


class CorrelationMap(QWidget):
    """Cells by shift in y and x: orange goes together, blue against each other."""

    def __init__(self) -> None:
        super().__init__()
        self._correlation: Float[ndarray, "y x"] = np.zeros((0, 0))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for square cells that can be pointed at."""
        return QSize(5 * _CELL_PX, 5 * _CELL_PX + 2)

    def show_correlation(self, correlation: Float[ndarray, "y x"]) -> None:
        """Show another map; an empty one shows nothing."""
        self._correlation = correlation
        self.update()

    def words_at(self, row: int, column: int) -> str:
        """Say what a cell stands for."""
        rows, columns = self._correlation.shape
        y, x = row - rows // 2, column - columns // 2
        value = self._correlation[row, column]
        return f"{y:+d} rows, {x:+d} columns: correlation {value:+.3f}"

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw each cell in its colour, with its value in hundredths."""
        painter = QPainter(self)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        for (row, column), value in np.ndenumerate(self._correlation):
            cell = self._cell(row, column)
            colour = QColor(_POSITIVE if value > 0 else _NEGATIVE)
            colour.setAlphaF(float(min(1.0, abs(value) / _FULL)))
            painter.fillRect(cell, colour)
            painter.setPen(QColor(128, 128, 128, 120))
            painter.drawRect(cell)
            painter.setPen(QColor("black") if abs(value) > _FULL / 2 else ink)
            text = str(round(100 * value))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)

    def _cell(self, row: int, column: int) -> QRect:
        left = (self.width() - self._correlation.shape[1] * _CELL_PX) // 2
        return QRect(left + column * _CELL_PX, row * _CELL_PX, _CELL_PX, _CELL_PX)

    def event(self, event: QEvent | None) -> bool:
        """Tell the number under the mouse."""
        if isinstance(event, QHelpEvent):
            for row, column in np.ndindex(self._correlation.shape):
                if self._cell(row, column).contains(event.pos()):
                    words = self.words_at(row, column)
                    QToolTip.showText(event.globalPos(), words, self)
                    return True
        return super().event(event)
