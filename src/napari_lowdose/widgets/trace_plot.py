"""How bright one particle is over time: raw, denoised, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from qtpy.QtCore import QPointF, QRect, QRectF, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)

from napari_lowdose.compare.scale import Scale
from napari_lowdose.widgets.axes import COLOURS, Axes, Plot

_LONGEST = 240  # frames that have room beside one another
_ROOM = 0.08  # above and below, as a share of the height
_DARKEST = 0.22  # opacity of the shade
_DOT_PX = 2.2


@dataclass(frozen=True)
class Trace:
    """One particle over time, one value for each frame of its track.

    Parameters
    ----------
    frame
        Counted from 0, rising.
    raw, raw_std
        Amplitude in the raw counts and its standard error, in quanta.
    denoised
        Amplitude in the estimate, in the same unit; NaN where it is not known.
    present
        Probability that the particle is there.
    detected
        Whether the estimate shows it as a spot.
    """

    frame: Int[ndarray, " n"]
    raw: Float[ndarray, " n"]
    raw_std: Float[ndarray, " n"]
    denoised: Float[ndarray, " n"]
    present: Float[ndarray, " n"]
    detected: Bool[ndarray, " n"]

    def around(self, frame: int) -> Trace:
        """Keep as many frames as a plot has room for."""
        if len(self.frame) <= _LONGEST:
            return self
        middle = int(np.searchsorted(self.frame, frame))
        first = min(max(0, middle - _LONGEST // 2), len(self.frame) - _LONGEST)
        part = slice(first, first + _LONGEST)
        return Trace(*(getattr(self, name)[part] for name in self.__annotations__))


class TracePlot(Plot):
    """Amplitudes over frames; the shade behind them tells when the particle is there.

    Signals
    -------
    picked
        Emitted with the frame at which the plot is clicked.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._trace: Trace | None = None
        self._current = 0
        self._area = QRect()  # where it was painted last
        self.setToolTip(
            "Quanta of the whole particle in each frame. Dots and band: raw counts and "
            "their standard error, full where the denoised movie shows a spot. Line: "
            "denoised. Shade: how likely it is there by all raw counts of its track. "
            "Click to go to a frame."
        )

    @property
    def trace(self) -> Trace | None:
        """What is plotted."""
        return self._trace

    def clear(self) -> None:
        """Forget the particle."""
        self._trace = None
        self.update()

    def show_trace(self, trace: Trace, frame: int) -> None:
        """Plot a particle, the frame that is looked at marked."""
        self._trace, self._current = trace.around(frame), frame
        self.update()

    def mark_frame(self, frame: int) -> None:
        """Mark another frame."""
        if frame != self._current:
            self._current = frame
            if self._trace is not None:
                self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Tell which frame was clicked."""
        if event is None or self._trace is None or not len(self._trace.frame):
            return
        x = _frames(self._trace)
        share = (event.position().x() - self._area.left()) / max(1, self._area.width())
        wanted = x.low + share * (x.high - x.low)
        nearest = np.argmin(np.abs(self._trace.frame - wanted))
        self.picked.emit(int(self._trace.frame[nearest]))

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw shade, band, dots and line."""
        painter = QPainter(self)
        axes = Axes(painter, self)
        self._area = axes.area
        trace = self._trace
        if trace is None or not len(trace.frame):
            axes.write_in_the_middle("no particle picked")
            return
        x, y = _frames(trace), _quanta(trace)
        _shade(painter, axes, x, trace)
        axes.draw_y_ticks(y)
        _draw_band(painter, axes, x, y, trace)
        _draw_mark(painter, axes, x, self._current)
        line = _points(axes, x, y, trace.frame, trace.denoised)
        if line:
            axes.draw_curve(line, COLOURS[1])
        _draw_dots(painter, axes, x, y, trace)
        axes.write_below("• raw, quanta", place=0, colour=COLOURS[0])
        axes.write_below("— denoised", place=1, colour=COLOURS[1])
        painter.setPen(axes.ink)
        axes.write_below(f"frame {self._current}", end=True)


def _frames(trace: Trace) -> Scale:
    return Scale(float(trace.frame[0]) - 0.5, float(trace.frame[-1]) + 0.5)


def _quanta(trace: Trace) -> Scale:
    """Make room for the dots with their errors, the line, and zero."""
    low, high = trace.raw - trace.raw_std, trace.raw + trace.raw_std
    values = np.concatenate([low, high, trace.denoised, [0.0]])
    return Scale.around(values[np.isfinite(values)].tolist()).wider(_ROOM)


def _points(
    axes: Axes,
    x: Scale,
    y: Scale,
    frame: Int[ndarray, " n"],
    value: Float[ndarray, " n"],
) -> list[QPointF]:
    """Place the values that are known."""
    known = np.isfinite(value)
    pairs = zip(frame[known].tolist(), value[known].tolist(), strict=True)
    return [axes.at(x, y, t, a) for t, a in pairs]


def _shade(painter: QPainter, axes: Axes, x: Scale, trace: Trace) -> None:
    """Fill each frame as dark as the particle is likely there."""
    left, width = axes.area.left(), axes.area.width()
    known = np.isfinite(trace.present)
    present = trace.present[known].clip(0, 1).tolist()
    for frame, share in zip(trace.frame[known].tolist(), present, strict=True):
        start, end = (left + x.place(frame + half) * width for half in (-0.5, 0.5))
        shade = QColor(axes.ink)
        shade.setAlphaF(_DARKEST * share)
        area = QRectF(start, axes.area.top(), end - start, axes.area.height())
        painter.fillRect(area, shade)


def _draw_band(painter: QPainter, axes: Axes, x: Scale, y: Scale, trace: Trace) -> None:
    """Fill what lies within the standard error."""
    upper = _points(axes, x, y, trace.frame, trace.raw + trace.raw_std)
    lower = _points(axes, x, y, trace.frame, trace.raw - trace.raw_std)
    colour = QColor(COLOURS[0])
    colour.setAlpha(60)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_dots(painter: QPainter, axes: Axes, x: Scale, y: Scale, trace: Trace) -> None:
    colour = QColor(COLOURS[0])
    painter.setPen(QPen(colour, 1))
    for found in (False, True):
        chosen = trace.detected == found
        painter.setBrush(colour if found else Qt.BrushStyle.NoBrush)
        for dot in _points(axes, x, y, trace.frame[chosen], trace.raw[chosen]):
            painter.drawEllipse(dot, _DOT_PX, _DOT_PX)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_mark(painter: QPainter, axes: Axes, x: Scale, frame: int) -> None:
    """Draw a line where the frame is that is looked at."""
    if not 0 <= x.place(frame) <= 1:
        return
    across = axes.area.left() + x.place(frame) * axes.area.width()
    painter.setPen(QPen(axes.ink, 1, Qt.PenStyle.DashLine))
    painter.drawLine(
        QPointF(across, axes.area.top()), QPointF(across, axes.area.bottom())
    )
