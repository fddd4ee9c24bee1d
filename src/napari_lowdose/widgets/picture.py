"""A grey picture of one frame, its pixels as they are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real
from numpy import ndarray
from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_lowdose.widgets.layers import Limits

_HEIGHT_PX = 256


class Picture(QWidget):
    """Show a frame at a whole zoom; of a large one, the middle.

    Pixels are never averaged: that would make a noisy frame look better than it is.

    Signals
    -------
    clicked
        Emitted when the user clicks on it.
    """

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._grey = np.zeros((0, 0), np.uint8)
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for twice the size of a usual movie's frame."""
        return QSize(200, _HEIGHT_PX)

    @property
    def grey(self) -> ndarray:
        """What is shown, (y, x), from 0 black to 255 white; empty when nothing is."""
        return self._grey.copy()

    def show_frame(self, frame: Real[ndarray, "y x"], limits: Limits) -> None:
        """Show counts between two limits as black to white."""
        low, high = limits
        share = (frame.astype(np.float32) - low) / (high - low)
        self._grey = np.ascontiguousarray(np.clip(share, 0, 1) * 255, np.uint8)
        rows, columns = self._grey.shape
        # The image borrows the array's memory.
        self._image = QImage(
            self._grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8
        )
        self._words = ""
        self.update()

    def show_words(self, words: str) -> None:
        """Say why there is no picture."""
        self._image, self._grey = QImage(), np.zeros((0, 0), np.uint8)
        self._words = words
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the frame in the middle of the widget."""
        painter = QPainter(self)
        if self._image.isNull():
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(8, 8, -8, -8), flags, self._words)
            return
        columns, rows = self._image.width(), self._image.height()
        zoom = max(1, min(self.width() // columns, self.height() // rows))
        target = QRect(QPoint(0, 0), QSize(columns, rows) * zoom)
        target.moveCenter(self.rect().center())
        painter.drawImage(target, self._image)

    def mousePressEvent(self, _event: QMouseEvent | None) -> None:
        """Tell of the click."""
        self.clicked.emit()
