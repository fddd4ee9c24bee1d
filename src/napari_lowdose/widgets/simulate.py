"""Dock widget: make a movie with known truth, or add noise to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import napari
from napari.layers import Layer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QCheckBox

from napari_lowdose.errors import LowDoseError
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.schema import Config
from napari_lowdose.specimens import SPECIMENS, Scene, Specimen
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background_panel import BackgroundPanel
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.layers import (
    Limits,
    add_stack,
    contrast_limits,
    stack_from,
    visible_frame,
)
from napari_lowdose.widgets.noise_editor import NoiseEditor
from napari_lowdose.widgets.noise_preview import (
    Frames,
    NoisePreview,
    frame_of_specimen,
    frame_of_stack,
)
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.particles import EVENTS, add_particles

_SPECIMEN, _LAYER = "specimen", "layer"


@dataclass(frozen=True)
class Simulated:
    """What a simulation ends with; without a scene, the clean stack was a layer's."""

    noisy: Stack
    truth: Stack
    limits: tuple[Limits, Limits]
    scene: Scene | None = None


class SimulatePanel(BackgroundPanel):
    """Simulate a specimen at a dose; add the same noise to any layer."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__(napari_viewer)
        self.noise = NoiseEditor(self)
        self.preview = NoisePreview(self)
        self.specimen = Choice()
        self.particles = QCheckBox("with particles")
        self.simulate = button("Simulate", "Add a noisy movie and its truth as layers")
        self.layer = self.layer_choice()
        self.add_noise = button(
            "Add noise", "Add a noisy copy of the layer, and its truth at that dose"
        )
        self._forms: dict[str, Form] = {}
        self._previewed = _SPECIMEN
        self._lay_out()
        self._wire()
        self.specimen.offer(
            [*SPECIMENS], [name.replace("_", " ") for name in SPECIMENS]
        )
        self.set_ready()

    def _lay_out(self) -> None:
        self.particles.setChecked(True)
        self.particles.setToolTip("Add circles where the particles truly are")
        specimen = self.section("Simulate a specimen")
        specimen.rows.addRow("specimen", self.specimen)
        specimen.rows.addRow("", self.particles)
        specimen.rows.addRow(in_a_row(self.simulate, self.stop))
        specimen.rows.addRow(self.progress)
        self._settings = self.section("Specimen settings", expanded=False).rows
        self._onto = self.section("Add noise to a layer", expanded=False)
        self._onto.rows.addRow("layer", self.layer)
        self._onto.rows.addRow(self.add_noise)
        self.section("Preview").rows.addRow(self.preview)
        self.section("Noise").rows.addRow(self.noise)
        self.show_status_in(specimen)

    def _wire(self) -> None:
        self.specimen.chosen.connect(self._show_form)
        self.noise.changed.connect(self._preview_again)
        self.layer.chosen.connect(self.set_ready)
        self.layer.activated.connect(lambda _index: self._preview_of(_LAYER))
        self._onto.head.toggled.connect(
            lambda unfolded: self._preview_of(_LAYER if unfolded else _SPECIMEN)
        )
        self.simulate.clicked.connect(self._simulate)
        self.add_noise.clicked.connect(self._add_noise)

    @property
    def form(self) -> Form:
        """The settings of the chosen specimen."""
        return self._forms[self.specimen.value]

    def _show_form(self) -> None:
        name = self.specimen.value
        if name not in self._forms:
            form: Form = Form(SPECIMENS[name].settings)
            form.changed.connect(partial(self._preview_of, _SPECIMEN))
            self._forms[name] = form
            self._settings.addRow(form)
        for other, form in self._forms.items():
            form.setVisible(other == name)
        self._preview_of(_SPECIMEN)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw the first preview when there is somebody to look at it."""
        super().showEvent(event)
        self._viewer.dims.events.current_step.connect(self._look_at_frame)
        self._preview_again()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Follow the time slider no longer."""
        super().hideEvent(event)
        self._viewer.dims.events.current_step.disconnect(self._look_at_frame)

    def _look_at_frame(self, _event: object = None) -> None:
        if self._previewed == _LAYER:
            self._preview_again()

    def _preview_of(self, source: str) -> None:
        self._previewed = source
        self._preview_again()

    def _preview_again(self) -> None:
        if not self.isVisible():
            return  # what nobody sees is drawn when it is shown
        try:
            make = self._frames_to_preview()
        except (LowDoseError, ValueError) as error:
            make = partial(str, error)
        self.preview.ask(make)

    def _frames_to_preview(self) -> Callable[[], Frames | str]:
        layer = self.layer.layer
        if self._previewed == _LAYER and layer is not None:
            index = visible_frame(self._viewer, layer)
            return partial(frame_of_stack, stack_from(layer), index, self.noise.config)
        settings = self.form.config
        name = self.specimen.value
        return partial(frame_of_specimen, name, settings, self.noise.config)

    def _simulate(self, _checked: bool = False) -> None:
        with self.reporting():
            specimen = SPECIMENS[self.specimen.value]
            steps = partial(_simulated, specimen, self.form.config, self.noise.config)
            self.launch(steps, partial(self._show, None), title="Simulating")

    def _add_noise(self, _checked: bool = False) -> None:
        layer = self.layer.layer
        if layer is None:
            return
        with self.reporting():
            steps = partial(_noisy, stack_from(layer), self.noise.config)
            self.launch(steps, partial(self._show, layer), title="Adding noise")

    def _show(self, like: Layer | None, item: Simulated) -> None:
        for stack, limits in zip((item.truth, item.noisy), item.limits, strict=True):
            layer = add_stack(self._viewer, stack, like=like, limits=limits)
            if item.scene is not None:
                layer.metadata[EVENTS] = item.scene.events
        if item.scene is not None and self.particles.isChecked():
            add_particles(self._viewer, item.scene)
        self._viewer.layers.selection.active = layer  # the noisy one, not the points
        self.say(f"added {item.truth.name!r} and {item.noisy.name!r}")

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        super().set_ready()
        self.simulate.setEnabled(self.idle)
        self.add_noise.setEnabled(self.idle and self.layer.layer is not None)


def _simulated(
    specimen: Specimen, settings: Config, noise: Noise
) -> Iterator[str | Simulated]:
    yield "drawing the specimen …"
    scene = specimen.render(settings)
    yield from _noisy(scene.stack, noise, scene)


def _noisy(
    clean: Stack, noise: Noise, scene: Scene | None = None
) -> Iterator[str | Simulated]:
    yield "adding noise …"
    noisy, truth = add_noise(clean, noise)
    limits = contrast_limits(truth.data), contrast_limits(noisy.data)
    yield Simulated(noisy, truth, limits, scene)
