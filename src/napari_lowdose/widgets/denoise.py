"""Dock widget: apply a trained model to a movie."""

from __future__ import annotations

from typing import Any

import napari
from napari.layers import Layer
from qtpy.QtWidgets import QCheckBox

from napari_lowdose.config import Denoising
from napari_lowdose.jobs import Task
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.layers import add_stack, stack_from
from napari_lowdose.widgets.model_choice import ModelChoice
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.runner import job_of


class DenoisePanel(EnginePanel):
    """Denoise a layer; the result lies where it lies."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Denoise", "Add the denoised movie as a layer")
        super().__init__(napari_viewer, go, "End now, without a result")
        self.noisy = self.layer_choice()
        self.model = ModelChoice()
        self.form = Form(Denoising)
        self.each_plane = QCheckBox("also each direction")
        self._input: tuple[Layer, Stack] | None = None
        self._lay_out()
        self.noisy.chosen.connect(self.set_ready)
        self.model.chosen.connect(self.set_ready)
        self.go.clicked.connect(self._denoise)
        self.set_ready()

    def _lay_out(self) -> None:
        movie = self.section("Movie and model")
        movie.rows.addRow("noisy", self.noisy)
        movie.rows.addRow("model", self.model)
        movie.rows.addRow("", self.each_plane)
        denoise = self.section("Denoising")
        denoise.rows.addRow(in_a_row(self.go, self.stop))
        denoise.rows.addRow(self.progress)
        self.section("Settings").rows.addRow(self.form)
        self.each_plane.setToolTip("Add the estimate of each direction as well")

    def can_start(self) -> bool:
        """Need a noisy layer and a model."""
        return self.noisy.layer is not None and self.model.path is not None

    def _denoise(self, _checked: bool = False) -> None:
        layer = self.noisy.layer
        if layer is None:
            return
        with self.reporting():
            stack = stack_from(layer)
            prepare = job_of(
                stack,
                None,
                task=Task.DENOISE,
                model=str(self.model.path),
                each_plane=self.each_plane.isChecked(),
                denoising=self.form.config,
            )
            self._input = layer, stack
            self.launch(prepare, "Denoising")

    def hear(self, message: dict[str, Any]) -> None:
        """Show each result."""
        if message["event"] == "result" and self._input is not None:
            layer, stack = self._input
            result = stack.with_data(message["array"], message["name"], message["step"])
            add_stack(self._viewer, result, like=layer)
            self.say(f"added {result.name!r}")

    def finish(self, well: bool) -> None:
        """Let go of the input."""
        self._input = None
        if well and self.run is not None and self.run.stops:
            self.say("stopped")
