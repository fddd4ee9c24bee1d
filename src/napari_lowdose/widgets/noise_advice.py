"""What the data of a chosen layer are, measured as soon as somebody looks."""

from __future__ import annotations

from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_lowdose.errors import LowDoseError
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.layers import stack_from
from napari_lowdose.widgets.measured_noise import (
    NEWS,
    NoiseReading,
    keep_reading,
    measuring_beginning,
    reading_of,
)
from napari_lowdose.widgets.noise_report import NoiseReport
from napari_lowdose.widgets.panel import Panel, button


class NoiseAdvice(QWidget):
    """Sentences on a layer's data; the layer is measured unless it has been.

    Parameters
    ----------
    panel
        Whose closing ends the measuring.

    Signals
    -------
    taken
        Emitted with a measurement when the user wants its gain and offset.
    """

    taken = Signal(object)

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._layer: Layer | None = None
        self._work: Background | None = None
        self.report = NoiseReport(brief=True)
        self.take = button(
            "Use this detector",
            "Put gain, offset and readout noise into the training's settings",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.report)
        layout.addWidget(self.take)
        self.take.clicked.connect(self._take)
        NEWS.came.connect(self._hear)
        self.look_at(None)

    def look_at(self, layer: Layer | None) -> None:
        """Tell of another layer."""
        self._layer = layer
        if self._work is not None:
            self._work.abandon()
            self._work = None
        self._show("No layer is chosen." if layer is None else "…")
        self._measure()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Measure now if that was not worth while before."""
        super().showEvent(event)
        self._measure()

    def _measure(self) -> None:
        layer = self._layer
        if layer is None or reading_of(layer) is not None:
            return
        if self._work is not None or not self.isVisible():
            return
        try:
            steps = measuring_beginning(stack_from(layer))
        except LowDoseError as error:
            self._show(str(error))
            return
        self._show("measuring …")
        data = layer.data
        self._work = Background(
            steps, title="Measuring noise", panel=self._panel, quiet=True
        )
        self._work.came.connect(lambda item: self._keep(layer, data, item))
        self._work.ended.connect(self._end)
        self._work.start()

    def _keep(self, layer: Layer, data: object, item: NoiseReading | str) -> None:
        if isinstance(item, str):
            self._show(item)
        elif layer.data is data:
            keep_reading(layer, item)

    def _end(self, _well: bool) -> None:
        self._work = None

    def _hear(self, layer: Layer) -> None:
        if layer is self._layer:
            self._show()

    def _show(self, words: str = "") -> None:
        reading = reading_of(self._layer)
        self.report.show_reading(reading, words)
        self.take.setEnabled(reading is not None and reading.measurement.gain_told)

    def _take(self, _checked: bool = False) -> None:
        reading = reading_of(self._layer)
        if reading is not None:
            self.taken.emit(reading.measurement)
