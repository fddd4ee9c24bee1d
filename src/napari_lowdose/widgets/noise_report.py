"""What the data are: the sentences and the advice of a measured noise."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTableWidget, QVBoxLayout, QWidget
from qtpy.QtWidgets import QTableWidgetItem as Item

from napari_lowdose.noise import Measured, NoiseMeasurement
from napari_lowdose.objectives import Verdict
from napari_lowdose.widgets.correlation_map import CorrelationMap
from napari_lowdose.widgets.measured_noise import NoiseReading
from napari_lowdose.widgets.panel import wrapped_label
from napari_lowdose.widgets.transfer_plot import TransferPlot

_BRIEF = 2  # sentences where there is little room; the most important come first
_NUMBERS = {
    "gain": ("gain", "counts per electron or photon"),
    "offset": ("offset", "counts in the dark"),
    "readout_std": ("readout std", "counts"),
    "dose": ("dose", "electrons or photons per pixel per frame"),
}


class NoiseReport(QWidget):
    """Sentences on the data, and which objectives suit them.

    Parameters
    ----------
    brief
        Whether most sentences, and the reasons of the advice, are a tooltip only.
    """

    def __init__(self, *, brief: bool = False) -> None:
        super().__init__()
        self._brief = brief
        self.sentences = wrapped_label()
        self.advice = wrapped_label()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sentences)
        layout.addWidget(self.advice)

    def show_reading(self, reading: NoiseReading | None, words: str = "") -> None:
        """Show a reading, or say why there is none."""
        sentences = reading.sentences if reading else (words,)
        shown = sentences[:_BRIEF] if self._brief else sentences
        self.sentences.setText("\n".join(shown))
        self.sentences.setToolTip("\n".join(sentences))
        self.advice.setVisible(reading is not None)
        if reading is not None:
            reasons = _reasons(reading.advice)
            self.advice.setText(_groups(reading.advice) if self._brief else reasons)
            self.advice.setToolTip(reasons)


def _reasons(advice: Mapping[str, Verdict]) -> str:
    """Write a paragraph per objective, as rich text."""
    return "<br>".join(
        f"<b>{escape(_words(name))}</b> ({_words(verdict.fit)}): "
        f"{escape(verdict.reason)}"
        for name, verdict in advice.items()
    )


def _groups(advice: Mapping[str, Verdict]) -> str:
    """Write a line for each fit with its objectives, as rich text."""
    fits = dict.fromkeys(verdict.fit for verdict in advice.values())
    members = {
        fit: [_words(name) for name, verdict in advice.items() if verdict.fit == fit]
        for fit in fits
    }
    return "<br>".join(
        f"<b>{_words(fit)}</b>: {escape(', '.join(names))}"
        for fit, names in members.items()
    )


def _words(name: str) -> str:
    return str(name).replace("_", " ")


class NoiseTable(QTableWidget):
    """Gain, offset, readout noise and dose with their intervals."""

    def __init__(self) -> None:
        super().__init__(len(_NUMBERS), 3)
        self.setHorizontalHeaderLabels(["value", "95 % range", "from"])
        self.setVerticalHeaderLabels([name for name, _ in _NUMBERS.values()])
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setWordWrap(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(rows + header.sizeHint().height() + 4)

    def show_measurement(self, measurement: NoiseMeasurement | None) -> None:
        """Fill the cells, or empty them."""
        self.clearContents()
        if measurement is None:
            return
        for row, (name, (_, unit)) in enumerate(_NUMBERS.items()):
            number: Measured = getattr(measurement, name)
            cells = (
                _written(number.value),
                f"{_written(number.low)} – {_written(number.high)}",
                str(number.source),
            )
            for column, text in enumerate(cells):
                item = Item(text)
                item.setToolTip(f"{text}, {unit}")
                self.setItem(row, column, item)


def _written(value: float) -> str:
    """Write three digits, or all before the point of what is not too long."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e5 else f"{value:.3g}"


class NoiseFigures(QWidget):
    """The table, the photon-transfer plot and the map of correlations."""

    def __init__(self) -> None:
        super().__init__()
        self.table = NoiseTable()
        self.transfer = TransferPlot()
        self.correlation = CorrelationMap()
        parts = (
            self.table,
            wrapped_label("variance (counts²) over mean (counts)"),
            self.transfer,
            wrapped_label("correlation with the pixels around, in hundredths"),
            self.correlation,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in parts:
            layout.addWidget(part)

    def show_measurement(self, measurement: NoiseMeasurement | None) -> None:
        """Show a measurement, or none."""
        self.table.show_measurement(measurement)
        self.transfer.show_transfer(measurement.transfer if measurement else None)
        nothing = np.zeros((0, 0))
        self.correlation.show_correlation(
            measurement.correlation if measurement else nothing
        )
