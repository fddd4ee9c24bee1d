"""Dock widget: read gain, dose and noise off a movie, and use them."""

from __future__ import annotations

from functools import partial

import napari
from napari.layers import Layer
from qtpy.QtWidgets import QCheckBox

from napari_lowdose.noise import recipe_like
from napari_lowdose.widgets.background_panel import BackgroundPanel
from napari_lowdose.widgets.layer_checks import LayerChecks
from napari_lowdose.widgets.layers import stack_from
from napari_lowdose.widgets.measured_noise import (
    NEWS,
    NoiseReading,
    keep_reading,
    measuring,
    reading_of,
)
from napari_lowdose.widgets.noise_report import NoiseFigures, NoiseReport
from napari_lowdose.widgets.number_box import NumberBox
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.simulate import SimulatePanel

_LARGEST_OFFSET = 1e6
_PLUGIN, _SIMULATE = "napari-lowdose", "Simulate"


class MeasurePanel(BackgroundPanel):
    """Measure the noise of a layer; say what the data are and what suits them."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__(napari_viewer)
        self.layer = self.layer_choice()
        self.dark = self.layer_choice(none="(none)")
        self.flats = LayerChecks(napari_viewer)
        self.offset_known = QCheckBox("known offset")
        self.offset = NumberBox(whole=False, low=-_LARGEST_OFFSET, high=_LARGEST_OFFSET)
        self.measure = button("Measure", "Read gain, offset, dose and noise off it")
        self.report = NoiseReport()
        self.figures = NoiseFigures()
        self.copy = button(
            "Copy to Simulate", "Put this dose and detector into the Simulate panel"
        )
        self._lay_out()
        self._wire()
        self._show()

    def _lay_out(self) -> None:
        self.dark.setToolTip("Frames without beam or light: they tell the offset")
        self.flats.setToolTip("Evenly lit frames, one layer per brightness")
        self.offset.setToolTip("Counts in the dark, where you know them")
        self.offset.setValue(0)
        movie = self.section("Movie")
        movie.rows.addRow("layer", self.layer)
        movie.rows.addRow(in_a_row(self.measure, self.stop))
        movie.rows.addRow(self.progress)
        known = self.section("Calibration, if there is any", expanded=False)
        known.rows.addRow("dark", self.dark)
        known.rows.addRow("flats", self.flats)
        known.rows.addRow(in_a_row(self.offset_known, self.offset))
        self.section("What the data are").rows.addRow(self.report)
        self.section("Figures").rows.addRow(self.figures)
        self.add_row(in_a_row(self.copy))
        self.show_status_in(movie)

    def _wire(self) -> None:
        self.layer.chosen.connect(self._show)
        self.measure.clicked.connect(self._measure)
        self.copy.clicked.connect(self._copy)
        self.offset_known.toggled.connect(self.offset.setEnabled)
        self.offset.setEnabled(False)
        NEWS.came.connect(self._hear)

    def reset_choices(self, event: object = None) -> None:
        """Follow the layer list."""
        super().reset_choices(event)
        self.flats.follow()

    def _measure(self, _checked: bool = False) -> None:
        layer, dark = self.layer.layer, self.dark.layer
        if layer is None:
            return
        with self.reporting():
            steps = measuring(
                stack_from(layer),
                dark=stack_from(dark) if dark else None,
                flats=[stack_from(flat) for flat in self.flats.layers],
                offset=self.offset.value() if self.offset_known.isChecked() else None,
            )
            self.launch(
                steps, partial(self._keep, layer, layer.data), title="Measuring noise"
            )
            self.say("measuring …")

    def _keep(self, layer: Layer, data: object, reading: NoiseReading) -> None:
        if layer.data is data:
            keep_reading(layer, reading)
            self.say(f"measured {layer.name!r}; 'Train' shows it too")
        else:
            self.say(f"{layer.name!r} has changed meanwhile; measure again")

    def _hear(self, layer: Layer) -> None:
        if layer is self.layer.layer:
            self._show()

    def _show(self) -> None:
        """Show what is known of the chosen layer."""
        reading = reading_of(self.layer.layer)
        self.report.show_reading(reading, "Nothing measured yet of this layer.")
        self.figures.show_measurement(reading.measurement if reading else None)
        self.set_ready()

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        super().set_ready()
        layer = self.layer.layer
        self.measure.setEnabled(self.idle and layer is not None)
        self.copy.setEnabled(reading_of(layer) is not None)

    def _copy(self, _checked: bool = False) -> None:
        """Put the measured detector where the user simulates."""
        reading = reading_of(self.layer.layer)
        if reading is None:
            return
        with self.reporting():
            panel = self._simulate_panel()
            seed = panel.noise.config.seed
            recipe = recipe_like(reading.measurement)
            panel.noise.config = recipe.replaced({("seed",): seed})
            self.say("the noise of 'Simulate' is now like that of this layer")

    def _simulate_panel(self) -> SimulatePanel:
        """Find the panel that is open, whoever opened it; else open one."""
        window = self._viewer.window
        for widget in window.dock_widgets.values():
            if isinstance(widget, SimulatePanel):
                widget.parent().show()
                widget.parent().raise_()
                return widget
        _, panel = window.add_plugin_dock_widget(_PLUGIN, _SIMULATE, tabify=True)
        return panel
