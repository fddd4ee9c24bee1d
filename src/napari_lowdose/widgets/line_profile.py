"""A line that the user draws on the canvas, and the counts along it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_lowdose.compare.profile import Line, profile
from napari_lowdose.widgets.grab import Drag, Grab
from napari_lowdose.widgets.layers import stack_from, visible_frame
from napari_lowdose.widgets.marks import Marks, Place, Segment
from napari_lowdose.widgets.panel import in_a_row, wrapped_label
from napari_lowdose.widgets.profile_plot import (
    CURVE_COLOURS,
    Curve,
    ProfilePlot,
    legend,
)
from napari_lowdose.widgets.side_views import steps_of

_COLOUR = "#3fd0ff"
_REST_MS = 30  # between two drawings
_WIDEST_PX = 99
_END_PX = 14.0  # of the strokes across the ends, on the canvas


class LineProfile(QWidget):
    """A plot below which one chooses over how many pixels to average.

    Parameters
    ----------
    viewer
        On whose canvas the line is, and whose frame it follows.
    layers
        What to read, by method; the first sets place and units.

    Signals
    -------
    closed
        Emitted when the user removes the line.
    """

    closed = Signal()

    def __init__(self, viewer: ViewerModel, layers: Mapping[str, Image]) -> None:
        super().__init__()
        self._viewer = viewer
        self._layers = dict(layers)
        self._colours: dict[str, str] = {}
        self._like = next(iter(layers.values()))
        self._stack = stack_from(self._like)
        _, rows, columns = self._stack.shape
        middle = (rows - 1) / 2
        self._line = Line((middle, 0.2 * columns), (middle, 0.8 * columns))
        self.plot = ProfilePlot()
        self.names = wrapped_label()
        self.width_px = QSpinBox()
        self._lay_out()
        self._marks = Marks(viewer, self._like, name="profile line", colour=_COLOUR)
        self._grab = Grab(viewer, self._like, take=self._take)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REST_MS)
        self._soon.timeout.connect(self.refresh)
        self.width_px.valueChanged.connect(self._hear)
        viewer.dims.events.current_step.connect(self._hear)
        viewer.scene.camera.events.zoom.connect(self._draw)
        viewer.layers.events.removed.connect(self._hear_removal)
        self.refresh()

    def _lay_out(self) -> None:
        self.width_px.setRange(1, _WIDEST_PX)
        self.width_px.setSingleStep(2)
        self.width_px.setSuffix(" px")
        self.width_px.setToolTip("Average across the line, over so many pixels")
        unit = steps_of(self._stack).pixel_unit
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot)
        column.addWidget(self.names)
        axis = QLabel(f"counts over {unit}")
        column.addLayout(in_a_row(axis, QLabel("width"), self.width_px))
        column.addWidget(
            wrapped_label("Drag the line or its ends; Shift-drag draws another.")
        )

    @property
    def line(self) -> Line:
        """Where it is, in pixels."""
        return self._line

    def show_layers(self, layers: Mapping[str, Image]) -> None:
        """Read other layers of the same movie."""
        if dict(layers) != self._layers:
            self._layers = dict(layers)
            self._hear()

    def put(self, line: Line) -> None:
        """Move the line."""
        self._line = line
        self._draw()
        self._hear()

    def refresh(self) -> None:
        """Read and plot the counts along the line in the current frame."""
        self._draw()
        there = {
            n: one for n, one in self._layers.items() if one in self._viewer.layers
        }
        curves = {name: self._curve(name, layer) for name, layer in there.items()}
        pixel = self._stack.pixel_size or (1.0, 1.0)
        self.plot.show_curves(curves, length=self._line.length(pixel))
        self.names.setText(legend(curves))

    def leave(self) -> None:
        """Take the line away, and follow nothing any more."""
        self._soon.stop()
        self._grab.leave()
        self._viewer.dims.events.current_step.disconnect(self._hear)
        self._viewer.scene.camera.events.zoom.disconnect(self._draw)
        self._viewer.layers.events.removed.disconnect(self._hear_removal)
        self._marks.remove()

    def _curve(self, name: str, layer: Image) -> Curve:
        # A method keeps its colour while others come and go.
        number = len(self._colours) % len(CURVE_COLOURS)
        colour = self._colours.setdefault(name, CURVE_COLOURS[number])
        frame = visible_frame(self._viewer, layer)
        data = stack_from(layer).data
        return Curve(
            profile(data, frame, self._line, width=self.width_px.value()), colour
        )

    def _draw(self, _event: object = None) -> None:
        """Draw the line, with strokes across its ends as long as its width."""
        start, end = np.asarray(self._line.start), np.asarray(self._line.end)
        length = self._line.length() or 1.0
        across = np.array([-(end - start)[1], (end - start)[0]]) / length
        reach = max(self.width_px.value(), self._marks.pixels(_END_PX)) / 2
        segments: list[Segment] = [(self._line.start, self._line.end)]
        for place in (start, end):
            one, other = place - reach * across, place + reach * across
            segments.append(((one[0], one[1]), (other[0], other[1])))
        self._marks.draw(segments)

    def _hear(self, _event: object = None) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _hear_removal(self, _event: object) -> None:
        if self._marks.layer is None or self._like not in self._viewer.layers:
            self.closed.emit()

    def _take(self, place: Place, reach: float, shift: bool) -> Drag | None:
        """Take hold of an end, of the line between them, or of nothing."""
        layer = self._marks.layer
        if layer is None or not (layer.visible or shift):
            return None
        if shift:
            return lambda there: self.put(Line(place, there))
        drags: tuple[tuple[Place, Callable[[Place], None]], ...] = (
            (self._line.start, lambda there: self.put(Line(there, self._line.end))),
            (self._line.end, lambda there: self.put(Line(self._line.start, there))),
        )
        for end, drag in drags:
            if np.hypot(*np.subtract(end, place)) <= reach:
                return drag
        return self._shift_from(place) if self._distance(place) <= reach else None

    def _shift_from(self, place: Place) -> Drag:
        line = self._line
        return lambda there: self.put(
            line.moved(there[0] - place[0], there[1] - place[1])
        )

    def _distance(self, place: Place) -> float:
        """Measure how far a place is from the line."""
        start, end = np.asarray(self._line.start), np.asarray(self._line.end)
        along = end - start
        share = np.dot(np.subtract(place, start), along) / (np.dot(along, along) or 1.0)
        nearest = start + np.clip(share, 0, 1) * along
        return float(np.hypot(*(np.asarray(place) - nearest)))
