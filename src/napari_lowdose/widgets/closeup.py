"""What is around one particle: the raw counts and each estimate, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from numpy import ndarray
from qtpy.QtCore import QPoint, QPointF, QRect, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette, QPen, QTransform
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_lowdose.stack import ArrayLike
from napari_lowdose.widgets.layers import Limits

REACH_PX = 16
_SIDE_PX = 2 * REACH_PX + 1
_COLUMNS = 3
_LABEL_PX, _GAP_PX = 15, 4
_USUAL_ZOOM, _MOST_ZOOM = 3, 6
_SPREAD = (1.0, 99.5)  # percentiles that a picture alone would show black and white


@dataclass(frozen=True)
class Cut:
    """A part of a frame around a place, less what lies beyond the rim.

    Parameters
    ----------
    counts
        Of shape (y, x).
    top, left
        Pixels of the whole square that are missing above and to the left.
    """

    counts: Real[ndarray, "y x"]
    top: int
    left: int


def cut_out(stack: ArrayLike, frame: int, y: int, x: int) -> Cut:
    """Cut a square of 33 pixels around a pixel out of one frame."""
    row, column = y - REACH_PX, x - REACH_PX
    top, left = max(0, -row), max(0, -column)
    counts = np.asarray(
        stack[frame, max(0, row) : y + REACH_PX + 1, max(0, column) : x + REACH_PX + 1]
    )
    return Cut(counts, top, left)


class CloseUp(QWidget):
    """Small pictures of one place in one contrast, the particle ringed in each."""

    def __init__(self) -> None:
        super().__init__()
        self._cuts: dict[str, Cut] = {}
        self._limits: Limits = (0.0, 1.0)
        self._ring = QPointF(), 0.0, QColor()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "The particle's surroundings in its frame, all in one contrast: what is in "
            "a denoised picture should be in the raw counts and in each direction too"
        )

    @property
    def cuts(self) -> Mapping[str, Cut]:
        """What is shown, by its name."""
        return dict(self._cuts)

    @property
    def limits(self) -> Limits:
        """Counts shown black and white."""
        return self._limits

    def clear(self) -> None:
        """Show nothing."""
        self._cuts = {}
        self._settle()

    def show_cuts(
        self,
        cuts: Mapping[str, Cut],
        *,
        y: float,
        x: float,
        radius: float,
        colour: str,
    ) -> None:
        """Show pictures of one place.

        Parameters
        ----------
        cuts
            By the words written below each; together they set the contrast.
        y, x
            The particle's centre, from the middle of the square, in pixels.
        radius, colour
            Of the ring.
        """
        self._cuts = dict(cuts)
        self._limits = _limits(self._cuts)
        place = QPointF(x + REACH_PX + 0.5, y + REACH_PX + 0.5)
        self._ring = place, radius, QColor(colour)
        self._settle()

    def _settle(self) -> None:
        self.setFixedHeight(self.heightForWidth(self.width()))
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for what the pictures need."""
        return QSize(200, self.heightForWidth(self.width()))

    def heightForWidth(self, width: int) -> int:
        """Tell how high the rows of pictures are."""
        n_rows = -(-max(1, len(self._cuts)) // _COLUMNS)
        return n_rows * (_SIDE_PX * self._zoom(width) + _LABEL_PX + _GAP_PX)

    def resizeEvent(self, event: object) -> None:
        """Magnify by another whole number, if there is room."""
        super().resizeEvent(event)
        self._settle()

    def _zoom(self, width: int) -> int:
        room = (width - (_COLUMNS - 1) * _GAP_PX) // (_COLUMNS * _SIDE_PX)
        return max(1, min(room, _MOST_ZOOM)) if width > 0 else _USUAL_ZOOM

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the pictures, their rings and words."""
        painter = QPainter(self)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(ink)
        if not self._cuts:
            middle = Qt.AlignmentFlag.AlignCenter
            painter.drawText(self.rect(), middle, "click a row or a ring")
            return
        zoom = self._zoom(self.width())
        side = _SIDE_PX * zoom
        for number, (name, cut) in enumerate(self._cuts.items()):
            left = number % _COLUMNS * (side + _GAP_PX)
            top = number // _COLUMNS * (side + _LABEL_PX + _GAP_PX)
            self._draw(painter, cut, QRect(left, top, side, side), zoom)
            painter.setPen(ink)
            below = QRect(left, top + side, side, _LABEL_PX)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, name)

    def _draw(self, painter: QPainter, cut: Cut, square: QRect, zoom: int) -> None:
        painter.save()
        painter.setClipRect(square)
        image = _grey(cut.counts, self._limits)
        corner = square.topLeft() + QPoint(cut.left, cut.top) * zoom
        painter.drawImage(QRect(corner, image.size() * zoom), image)
        pale = self.palette().color(QPalette.ColorRole.WindowText)
        pale.setAlpha(70)
        painter.setPen(QPen(pale, 1))
        painter.drawRect(square.adjusted(0, 0, -1, -1))
        place, radius, colour = self._ring
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.5))
        to_square = QTransform.fromTranslate(square.left(), square.top())
        to_square.scale(zoom, zoom)
        painter.drawEllipse(to_square.map(place), radius * zoom, radius * zoom)
        painter.restore()


def _grey(counts: Real[ndarray, "y x"], limits: Limits) -> QImage:
    """Turn counts into an image that keeps its own memory."""
    low, high = limits
    share = np.clip((counts.astype(np.float32) - low) / (high - low), 0, 1)
    grey = np.ascontiguousarray(share * 255, np.uint8)
    rows, columns = grey.shape
    image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    return image.copy()


def _limits(cuts: Mapping[str, Cut]) -> Limits:
    """Choose a contrast in which the calm ones are not flat nor the noisy ones bare."""
    ends = np.array([np.percentile(cut.counts, _SPREAD) for cut in cuts.values()])
    low, high = (float(v) for v in np.median(ends, axis=0))
    return (low, high) if high > low else (low, low + 1.0)
