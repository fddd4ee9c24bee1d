"""Slices through time of all methods: how one row and one column change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real, UInt8
from numpy import ndarray
from qtpy.QtCore import QRect, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    qRgb,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_lowdose.compare.kymograph import Kymographs
from napari_lowdose.compare.scale import Scale
from napari_lowdose.widgets.layers import Limits

_LEFT_PX, _TITLE_PX, _TICKS_PX, _GAP_PX = 46, 17, 16, 8
_LEAST_PX, _HEIGHT_PX = 110, 250
_ROWS = ("x-t", "y-t")
_MARK = QColor("#ffd23f")


@dataclass(frozen=True)
class Look:
    """How counts become colours.

    Parameters
    ----------
    limits
        Counts shown black and white.
    gamma
        Exponent between them.
    colours
        256 colours from black to white, as RGB.
    """

    limits: Limits
    gamma: float
    colours: UInt8[ndarray, "256 3"]


@dataclass(frozen=True)
class Steps:
    """What a pixel is worth.

    Parameters
    ----------
    t, y, x
        Step along each axis.
    time_unit, pixel_unit
        Their units, as they are written.
    """

    t: float = 1.0
    y: float = 1.0
    x: float = 1.0
    time_unit: str = "frame"
    pixel_unit: str = "px"


@dataclass(frozen=True)
class Spot:
    """A place in a movie: frame, row and column."""

    frame: int
    row: int
    column: int


class SidePictures(QWidget):
    """A column of two pictures for each method, time downwards, in its contrast.

    Signals
    -------
    picked
        Emitted with the spot that is clicked.
    """

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._slices: dict[str, Kymographs] = {}
        self._images: dict[str, tuple[QImage, QImage]] = {}
        self._steps = Steps()
        self._spot = Spot(0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(
            "One row (x-t) and one column (y-t) of the movie over time, for each "
            "method, where the cross is. What a filter smears along time shows as "
            "streaks, what it does to single frames as steps. Click to go there."
        )

    def sizeHint(self) -> QSize:
        """Ask for two rows that can be read."""
        return QSize(600, _HEIGHT_PX)

    @property
    def slices(self) -> Mapping[str, Kymographs]:
        """What is shown, by method."""
        return dict(self._slices)

    @property
    def steps(self) -> Steps:
        """What a pixel of the pictures is worth."""
        return self._steps

    @property
    def spot(self) -> Spot:
        """What the lines mark."""
        return self._spot

    def show_slices(self, slices: Mapping[str, Kymographs], steps: Steps) -> None:
        """Take in other slices; they are drawn once their looks are told."""
        self._slices, self._steps = dict(slices), steps
        self.setMinimumWidth(_LEFT_PX + len(slices) * (_LEAST_PX + _GAP_PX))

    def show_looks(self, looks: Mapping[str, Look]) -> None:
        """Colour the slices."""
        self._images = {
            name: (_image(one.xt, looks[name]), _image(one.yt, looks[name]))
            for name, one in self._slices.items()
            if name in looks
        }
        self.update()

    def mark(self, spot: Spot) -> None:
        """Draw the lines at another frame, row or column."""
        if spot != self._spot:
            self._spot = spot
            self.update()

    def area(self, name: str, row: int) -> QRect:
        """Find where a picture is drawn: 0 for x-t, 1 for y-t."""
        number = [*self._images].index(name)
        width = (self.width() - _LEFT_PX) // max(1, len(self._images)) - _GAP_PX
        height = self.height() // 2 - _TITLE_PX - _TICKS_PX
        left = _LEFT_PX + number * (width + _GAP_PX)
        top = row * (self.height() // 2) + _TITLE_PX
        return QRect(left, top, max(1, width), max(1, height))

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw all pictures with their ticks and marks."""
        painter = QPainter(self)
        painter.setPen(self._ink)
        if not self._images:
            middle = Qt.AlignmentFlag.AlignCenter
            painter.drawText(self.rect(), middle, "nothing to show")
            return
        small = painter.font()
        small.setPointSizeF(max(6.5, small.pointSizeF() - 1.5))
        painter.setFont(small)
        for name, images in self._images.items():
            for row, image in enumerate(images):
                area = self.area(name, row)
                painter.drawImage(area, image)
                self._write_around(painter, area, name, row)
                self._draw_mark(painter, area, image, row)
        for row in range(len(_ROWS)):
            self._draw_time(painter, row)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Tell which spot was clicked."""
        if event is None:
            return
        at = event.position().toPoint()
        for name in self._images:
            for row in range(len(_ROWS)):
                if self.area(name, row).contains(at):
                    self.picked.emit(self._spot_at(name, row, at.x(), at.y()))

    def _spot_at(self, name: str, row: int, x: int, y: int) -> Spot:
        area, image = self.area(name, row), self._images[name][row]
        frame = (y - area.top()) * image.height() // area.height()
        across = (x - area.left()) * image.width() // area.width()
        if row == 0:
            return Spot(frame, self._spot.row, across)
        return Spot(frame, across, self._spot.column)

    @property
    def _ink(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.WindowText)

    def _write_around(
        self, painter: QPainter, area: QRect, name: str, row: int
    ) -> None:
        """Write the title above and the places below."""
        painter.setPen(self._ink)
        title = f"{name}  {_ROWS[row]}"
        above = QRect(area.left(), area.top() - _TITLE_PX, area.width(), _TITLE_PX)
        centre = Qt.AlignmentFlag.AlignCenter
        metrics = painter.fontMetrics()
        cut = metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(above, centre, cut)
        step = self._steps.x if row == 0 else self._steps.y
        count = self._images[name][row].width()
        scale = Scale(-0.5 * step, (count - 0.5) * step)
        *ticks, last = scale.ticks or (0.0,)
        for value in (ticks[0] if ticks else last, last):
            across = area.left() + round(scale.place(value) * area.width())
            painter.drawLine(across, area.bottom() + 1, across, area.bottom() + 4)
            unit = f" {self._steps.pixel_unit}" if value == last else ""
            text = f"{value:.4g}{unit}"
            wide = metrics.horizontalAdvance(text) + 2
            left = min(max(across - wide // 2, area.left()), area.right() - wide)
            label = QRect(left, area.bottom() + 3, wide, _TICKS_PX)
            painter.drawText(label, Qt.AlignmentFlag.AlignLeft, text)

    def _draw_time(self, painter: QPainter, row: int) -> None:
        """Write times at the left rim."""
        name = next(iter(self._images))
        area, count = self.area(name, row), self._images[name][row].height()
        scale = Scale(-0.5 * self._steps.t, (count - 0.5) * self._steps.t)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(self._ink)
        room = area.height() // 16
        ticks = scale.ticks[:: max(1, -(-len(scale.ticks) // max(1, room)))]
        for value in ticks:
            up = area.top() + round(scale.place(value) * area.height())
            painter.drawLine(area.left() - 4, up, area.left() - 1, up)
            label = QRect(0, up - 8, area.left() - 6, 16)
            painter.drawText(label, flags, f"{value:.4g}")
        above = QRect(0, area.top() - _TITLE_PX, area.left() - 6, _TITLE_PX - 3)
        painter.drawText(above, flags, f"t ({self._steps.time_unit})")

    def _draw_mark(
        self, painter: QPainter, area: QRect, image: QImage, row: int
    ) -> None:
        """Draw lines at the current frame, and at the row or column."""
        across = self._spot.column if row == 0 else self._spot.row
        x = area.left() + round((across + 0.5) / image.width() * area.width())
        y = area.top() + round(
            (self._spot.frame + 0.5) / image.height() * area.height()
        )
        painter.setPen(QPen(_MARK, 1, Qt.PenStyle.DashLine))
        painter.drawLine(x, area.top(), x, area.bottom())
        painter.drawLine(area.left(), y, area.right(), y)


def _image(slice_: Real[ndarray, "t n"], look: Look) -> QImage:
    """Turn a slice into an image that keeps its own memory."""
    low, high = look.limits
    share = np.clip((slice_.astype(np.float32) - low) / ((high - low) or 1.0), 0, 1)
    share = np.nan_to_num(share**look.gamma)
    index = np.ascontiguousarray(share * 255, np.uint8)
    rows, columns = index.shape
    image = QImage(index.data, columns, rows, columns, QImage.Format.Format_Indexed8)
    image.setColorTable([qRgb(*(int(part) for part in one)) for one in look.colours])
    return image.copy()
