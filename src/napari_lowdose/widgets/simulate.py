"""Dock widget: make a movie with known truth, or add noise to one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import napari

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.schema import Config
from napari_lowdose.specimens import SPECIMENS, Specimen
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.layers import add_stack, contrast_limits, stack_from
from napari_lowdose.widgets.panel import Panel, button


class SimulatePanel(Panel):
    """Simulate a specimen at a dose; add the same noise to any layer."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__(napari_viewer)
        self.noise = Form(Noise)
        self.specimen = Choice()
        self.simulate = button("Simulate", "Add a noisy movie and its truth as layers")
        self.layer = self.layer_choice()
        self.add_noise = button(
            "Add noise", "Add a noisy copy of the layer, and its truth at that dose"
        )
        self._forms: dict[str, Form] = {}
        self._lay_out()
        self.specimen.chosen.connect(self._show_form)
        self.specimen.offer([*SPECIMENS], [*SPECIMENS])
        self.layer.chosen.connect(self._set_ready)
        self.simulate.clicked.connect(self._simulate)
        self.add_noise.clicked.connect(self._add_noise)
        self._set_ready()

    def _lay_out(self) -> None:
        specimen = self.section("Simulate a specimen")
        specimen.rows.addRow("specimen", self.specimen)
        specimen.rows.addRow(self.simulate)
        self._settings = self.section("Specimen settings", expanded=False).rows
        self.section("Noise").rows.addRow(self.noise)
        layer = self.section("Add noise to a layer")
        layer.rows.addRow("layer", self.layer)
        layer.rows.addRow(self.add_noise)

    @property
    def form(self) -> Form:
        """The settings of the chosen specimen."""
        return self._forms[self.specimen.value]

    def _show_form(self) -> None:
        name = self.specimen.value
        if name not in self._forms:
            self._forms[name] = Form(SPECIMENS[name].settings)
            self._settings.addRow(self._forms[name])
        for other, form in self._forms.items():
            form.setVisible(other == name)

    def _simulate(self, _checked: bool = False) -> None:
        with self.reporting():
            specimen = SPECIMENS[self.specimen.value]
            steps = partial(_simulated, specimen, self.form.config, self.noise.config)
            self._start(Background(steps, title="Simulating", panel=self))

    def _add_noise(self, _checked: bool = False) -> None:
        layer = self.layer.layer
        if layer is None:
            return
        with self.reporting():
            steps = partial(_noisy, stack_from(layer), self.noise.config)
            work = Background(steps, title="Adding noise", panel=self)
            self._start(work, like=layer)

    def _start(self, work: Background, like: napari.layers.Layer | None = None) -> None:
        work.came.connect(partial(self._show, like=like))
        work.ended.connect(self._end)
        self._set_ready(running=True)
        self.say("simulating …")
        work.start()

    def _show(
        self, pair: tuple[Stack, Stack], like: napari.layers.Layer | None
    ) -> None:
        noisy, truth = pair
        for stack in (truth, noisy):
            limits = contrast_limits(stack.data)
            add_stack(self._viewer, stack, like=like, limits=limits)
        self.say(f"added {truth.name!r} and {noisy.name!r}")

    def _end(self, _well: bool) -> None:
        self._set_ready()

    def _set_ready(self, *, running: bool = False) -> None:
        self.simulate.setEnabled(not running)
        self.add_noise.setEnabled(not running and self.layer.layer is not None)


def _simulated(
    specimen: Specimen, settings: Config, noise: Noise
) -> Iterator[tuple[Stack, Stack]]:
    yield from _noisy(specimen.render(settings).stack, noise)


def _noisy(clean: Stack, noise: Noise) -> Iterator[tuple[Stack, Stack]]:
    yield add_noise(clean, noise)
