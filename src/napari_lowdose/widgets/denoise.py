"""Dock widget: apply a model to a movie."""

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
from napari_lowdose.widgets.layers import (
    Limits,
    add_stack,
    contrast_limits,
    estimate_limits,
    stack_from,
    visible_frame,
)
from napari_lowdose.widgets.model_choice import ModelChoice
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.preview import Preview
from napari_lowdose.widgets.runner import job_of


class DenoisePanel(EnginePanel):
    """Denoise a layer; the frame in view comes first, the result lies where it lies."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Denoise", "Add the denoised movie as a layer")
        super().__init__(napari_viewer, go, "End now, without a result")
        self.noisy = self.layer_choice()
        self.model = ModelChoice()
        self.form = Form(Denoising)
        self.each_plane = QCheckBox("also each direction")
        self.disagreement = QCheckBox("also where directions disagree")
        self.disagreement.setChecked(True)
        self._input: tuple[Layer, Stack] | None = None
        self._preview: Preview | None = None
        self._limits: Limits | None = None
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
        movie.rows.addRow("", self.disagreement)
        denoise = self.section("Denoising")
        denoise.rows.addRow(in_a_row(self.go, self.stop))
        denoise.rows.addRow(self.progress)
        self.section("Settings", expanded=False).rows.addRow(self.form)
        self.each_plane.setToolTip("Add the estimate of each direction as well")
        self.disagreement.setToolTip(
            "Add, hidden, how much the directions differ: where they do, look twice"
        )

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
                disagreement=self.disagreement.isChecked(),
                frame=visible_frame(self._viewer, layer),
                denoising=self.form.config,
            )
            self._input, self._limits = (layer, stack), None
            self._preview = Preview(self._viewer, layer)
            self._viewer.dims.events.current_step.connect(self._look_at_frame)
            self.launch(prepare, "Denoising")

    def hear(self, message: dict[str, Any]) -> None:
        """Show the frame in view, then each result."""
        if self._input is None or self._preview is None:
            return
        if message["event"] == "ready":
            self._look_at_frame()
        elif message["event"] == "preview":
            self._preview.show(message["array"], message["frame"])
        elif message["event"] == "result":
            self._preview.remove()
            self._add(*self._input, message)

    def _add(self, layer: Layer, stack: Stack, message: dict[str, Any]) -> None:
        result = stack.with_data(message["array"], message["name"], message["step"])
        if message["name"] == "disagreement":
            limits = contrast_limits(result.data)
            added = add_stack(self._viewer, result, like=layer, limits=limits)
            added.visible, added.colormap = False, "magma"
        else:
            # One contrast for all directions: they are to be compared.
            self._limits = self._limits or estimate_limits(result.data, layer)
            add_stack(self._viewer, result, like=layer, limits=self._limits)
        self.say(f"added {result.name!r}")

    def _look_at_frame(self, _event: object = None) -> None:
        if self.running and self.run and self._preview and self._input:
            self.run.look_at(visible_frame(self._viewer, self._input[0]))
            self._preview.leave()

    def finish(self, well: bool) -> None:
        """Let go of the input."""
        self._viewer.dims.events.current_step.disconnect(self._look_at_frame)
        if self._preview is not None:
            self._preview.remove()
        self._input = self._preview = None
        if well and self.run is not None and self.run.stops:
            self.say("stopped")
