"""A plot of losses on a log scale, drawn by hand so that it follows the theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

from qtpy.QtCore import QPointF, QRect, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

_COLOURS = ("#5fb0ff", "#ffb454")  # legible on napari's dark and light themes
_LEAST = 1e-12  # losses are positive; a zero would leave the log scale
_REPAINT_MS = 400  # a repaint beside the canvas recomposes the whole window
_LEFT_PX, _TOP_PX, _RIGHT_PX, _BOTTOM_PX = 50, 6, 8, 20


class LossPlot(QWidget):
    """Curves over epochs, the losses on a log scale."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: dict[str, list[float]] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REPAINT_MS)
        self._soon.timeout.connect(self.update)
        self.setToolTip("Mean squared error of normalized counts, over all planes")

    def sizeHint(self) -> QSize:
        """Ask for enough to read a curve."""
        return QSize(200, 140)

    @property
    def curves(self) -> dict[str, list[float]]:
        """What is plotted: losses by curve, one per epoch."""
        return {name: list(losses) for name, losses in self._curves.items()}

    def clear(self) -> None:
        """Forget all curves."""
        self._curves = {}
        self.update()

    def append(self, **losses: float) -> None:
        """Add one epoch to each named curve."""
        for name, loss in losses.items():
            self._curves.setdefault(name, []).append(max(float(loss), _LEAST))
        if not self._soon.isActive():
            self._soon.start()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw frame, ticks and curves."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect().adjusted(_LEFT_PX, _TOP_PX, -_RIGHT_PX, -_BOTTOM_PX)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        pale = QColor(ink)
        pale.setAlpha(70)
        painter.setPen(QPen(pale, 1))
        painter.drawRect(area)
        if not self._curves:
            painter.setPen(ink)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "no training yet")
            return
        low, high = _range(list(self._curves.values()))
        _draw_ticks(painter, area, low, high, ink, pale)
        epochs = max(len(losses) for losses in self._curves.values())
        below = QRect(area.left(), area.bottom() + 3, area.width(), 16)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"epoch {epochs}")
        for place, (name, losses) in enumerate(self._curves.items()):
            painter.setPen(QPen(QColor(_COLOURS[place % len(_COLOURS)]), 1.6))
            painter.drawPolyline(_polyline(losses, epochs, area, low, high))
            legend = QRect(below.left() + 90 * place, below.top(), 90, 16)
            painter.drawText(legend, Qt.AlignmentFlag.AlignLeft, f"— {name}")


def _range(curves: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Find the decades that hold all losses; never an empty range."""
    logs = [log10(loss) for losses in curves for loss in losses]
    low, high = min(logs), max(logs)
    return (low, high) if high > low else (low - 0.1, high + 0.1)


def _draw_ticks(
    painter: QPainter, area: QRect, low: float, high: float, ink: QColor, pale: QColor
) -> None:
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    for part in (0.0, 0.5, 1.0):
        y = round(area.bottom() - part * area.height())
        painter.setPen(QPen(pale, 1))
        painter.drawLine(area.left(), y, area.right(), y)
        painter.setPen(ink)
        # The outermost labels stay inside the widget.
        top = min(max(y - 7, 0), area.bottom() - 4)
        label = QRect(0, top, _LEFT_PX - 5, 14)
        painter.drawText(label, flags, f"{10 ** (low + part * (high - low)):.3g}")


def _polyline(
    losses: Sequence[float], epochs: int, area: QRect, low: float, high: float
) -> QPolygonF:
    """Place losses in the area; a single one is drawn as a short dash."""
    steps = max(1, epochs - 1)
    points = [
        QPointF(
            area.left() + index / steps * area.width(),
            area.bottom() - (log10(loss) - low) / (high - low) * area.height(),
        )
        for index, loss in enumerate(losses)
    ]
    if len(points) == 1:
        points.append(points[0] + QPointF(4, 0))
    return QPolygonF(points)


def mean_loss(losses: Mapping[str, float]) -> float:
    """Average the losses of the planes."""
    return sum(losses.values()) / len(losses)
