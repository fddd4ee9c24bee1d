"""The frame, ticks and scales of a small plot, in the theme's colours."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QPointF, QRect, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_lowdose.compare.scale import Scale

COLOURS = ("#5fb0ff", "#ffb454")  # legible on napari's dark and light themes
_LEFT_PX, _TOP_PX, _RIGHT_PX, _BOTTOM_PX = 50, 6, 8, 20
_LABEL_PX = 90


class Axes:
    """Draw a frame with ticks, and place points in it.

    Parameters
    ----------
    painter
        Of the widget's paint event.
    widget
        What is painted.
    """

    def __init__(self, painter: QPainter, widget: QWidget) -> None:
        self._painter = painter
        self.area = widget.rect().adjusted(_LEFT_PX, _TOP_PX, -_RIGHT_PX, -_BOTTOM_PX)
        self.ink = widget.palette().color(QPalette.ColorRole.WindowText)
        self.pale = QColor(self.ink)
        self.pale.setAlpha(70)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.pale, 1))
        painter.drawRect(self.area)

    def write_in_the_middle(self, text: str) -> None:
        """Say why there is no plot."""
        self._painter.setPen(self.ink)
        self._painter.drawText(self.area, Qt.AlignmentFlag.AlignCenter, text)

    def draw_y_ticks(self, y: Scale) -> None:
        """Draw lines across the plot, and their values to its left."""
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value in y.ticks:
            height = self._height(y, value)
            self._painter.setPen(QPen(self.pale, 1))
            self._painter.drawLine(self.area.left(), height, self.area.right(), height)
            # The outermost labels stay inside the widget.
            top = min(max(height - 7, 0), self.area.bottom() - 4)
            self._painter.setPen(self.ink)
            label = QRect(0, top, _LEFT_PX - 5, 14)
            self._painter.drawText(label, flags, f"{value:.3g}")

    def draw_x_ticks(self, x: Scale) -> None:
        """Draw small ticks below the plot, and their values."""
        for value in x.ticks:
            across = round(self.area.left() + x.place(value) * self.area.width())
            self._painter.setPen(QPen(self.pale, 1))
            self._painter.drawLine(
                across, self.area.bottom(), across, self.area.bottom() + 3
            )
            left = min(max(across - 30, _LEFT_PX - 30), self.area.right() - 52)
            self._painter.setPen(self.ink)
            label = QRect(left, self.area.bottom() + 3, 60, 16)
            self._painter.drawText(label, Qt.AlignmentFlag.AlignHCenter, f"{value:.3g}")

    def write_below(
        self, text: str, *, place: int = 0, end: bool = False, colour: str = ""
    ) -> None:
        """Write below the plot: at its right end, or in one of some places."""
        if colour:
            self._painter.setPen(QColor(colour))
        below = QRect(self.area.left(), self.area.bottom() + 3, self.area.width(), 16)
        side = Qt.AlignmentFlag.AlignRight if end else Qt.AlignmentFlag.AlignLeft
        if not end:
            below.translate(_LABEL_PX * place, 0)
        self._painter.drawText(below, side, text)

    def at(self, x: Scale, y: Scale, across: float, up: float) -> QPointF:
        """Find the pixel of a point."""
        return QPointF(
            self.area.left() + x.place(across) * self.area.width(),
            self.area.bottom() - y.place(up) * self.area.height(),
        )

    def draw_curve(self, points: Iterable[QPointF], colour: str) -> None:
        """Draw a line through points; a single one becomes a short dash."""
        points = list(points)
        if len(points) == 1:
            points.append(points[0] + QPointF(4, 0))
        self._painter.setPen(QPen(QColor(colour), 1.6))
        self._painter.drawPolyline(QPolygonF(points))

    def _height(self, y: Scale, value: float) -> int:
        return round(self.area.bottom() - y.place(value) * self.area.height())


class Plot(QWidget):
    """A widget as wide as the panel and high enough to read a curve."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for enough to read a curve."""
        return QSize(200, 140)
