"""Dock widget: look at each particle of a denoised movie, and what supports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import napari
import pandas as pd
from napari.layers import Layer
from numpy import ndarray
from qtpy.QtGui import QHideEvent, QShowEvent

from napari_lowdose.config import Inspecting
from napari_lowdose.jobs import Task
from napari_lowdose.stack import Stack
from napari_lowdose.trust.decisions import Decision
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.exports import Exports, with_decisions
from napari_lowdose.widgets.findings import DIRECTIONS, FUSED, Findings
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.judging import Judging
from napari_lowdose.widgets.layers import (
    Limits,
    add_estimate,
    add_stack,
    contrast_limits,
    estimate_from,
    stack_from,
    visible_frame,
)
from napari_lowdose.widgets.model_choice import ModelChoice
from napari_lowdose.widgets.panel import button, in_a_row, wrapped_label
from napari_lowdose.widgets.particle_table import ParticleTable
from napari_lowdose.widgets.particle_view import ParticleView
from napari_lowdose.widgets.rings import Rings
from napari_lowdose.widgets.runner import job_of
from napari_lowdose.widgets.verdicts import counted


class InspectPanel(EnginePanel):
    """Find particles, test them on the raw counts, and let the user judge each."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Inspect", "Find all particles and the evidence for each")
        super().__init__(napari_viewer, go, "End now, without a result")
        self.noisy = self.layer_choice()
        self.denoised = self.layer_choice(none="(run the model)")
        self.model = ModelChoice()
        self.form = Form(Inspecting)
        self.table = ParticleTable()
        self.notes = wrapped_label()
        self.view = ParticleView()
        self.exports = Exports(self, table=self._table, film=self._film)
        self.null = button(
            "Null movie",
            "Denoise pure noise on the same background, and count what is invented",
        )
        self.invented = wrapped_label()
        self.findings: Findings | None = None
        self.rings: Rings | None = None
        self._judging = Judging(self)
        self._task = Task.INSPECT
        self._input: tuple[Layer, Stack] | None = None
        self._given = False  # whether the estimate is a layer already
        self._estimates: dict[str, ndarray] = {}
        self._layer: Layer | None = None  # whose particles are shown
        self._lay_out()
        self._wire()
        self.set_ready()

    def _lay_out(self) -> None:
        movie = self.section("Movie and model")
        movie.rows.addRow("noisy", self.noisy)
        movie.rows.addRow("denoised", self.denoised)
        movie.rows.addRow("model", self.model)
        movie.rows.addRow(in_a_row(self.go, self.stop))
        movie.rows.addRow(self.progress)
        particles = self.section("Particles")
        particles.rows.addRow(self.table)
        particles.rows.addRow(self.notes)
        close_up = self.section("Close-up")
        close_up.rows.addRow(self.view)
        close_up.rows.addRow(self.exports)
        self.section("Settings", expanded=False).rows.addRow(self.form)
        null = self.section("Null movie")
        null.rows.addRow(self.null)
        null.rows.addRow(self.invented)
        # At the end of so long a panel nobody would see it.
        self.status.setContentsMargins(0, 2, 0, 0)
        movie.rows.addRow(self.status)
        self.denoised.setToolTip(
            "A denoised layer of the same movie; its directions are not known then"
        )

    def _wire(self) -> None:
        for choice in (self.noisy, self.denoised, self.model):
            choice.chosen.connect(self.set_ready)
        self.go.clicked.connect(self._inspect)
        self.null.clicked.connect(self._test_on_noise)
        self.table.picked.connect(self._show_particle)
        self.table.sifted.connect(self._sift_rings)
        self.table.decided.connect(self._decide)
        self.view.frame_picked.connect(self._show_frame)
        self._judging.failed.connect(self.fail)
        self.closed.connect(self._leave)

    def can_start(self) -> bool:
        """Need a noisy layer and either a denoised one or a model."""
        denoised = self.denoised.layer is not None or self.model.path is not None
        return self.noisy.layer is not None and denoised

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        super().set_ready()
        free = not self.running and self.noisy.layer is not None
        self.null.setEnabled(free and self.model.path is not None)
        some = self.findings is not None and len(self.findings.particles) > 0
        self.exports.csv.setEnabled(some)
        picked = some and self.table.current is not None
        self.exports.movie.setEnabled(picked)

    def _inspect(self, _checked: bool = False) -> None:
        with self.reporting():
            self._begin(Task.INSPECT, "Inspecting")

    def _test_on_noise(self, _checked: bool = False) -> None:
        self.invented.setText("")
        with self.reporting():
            self._begin(Task.NULL_TEST, "Null movie")

    def _begin(self, task: Task, title: str) -> None:
        layer = self.noisy.layer
        if layer is None:
            return
        stack = stack_from(layer)
        denoised = self.denoised.layer if task is Task.INSPECT else None
        given = estimate_from(denoised, stack) if denoised else None
        prepare = job_of(
            stack,
            None,
            estimate=given,
            task=task,
            model=str(self.model.path or ""),
            inspecting=self.form.config,
        )
        self._task, self._input, self._given = task, (layer, stack), given is not None
        if task is Task.INSPECT:
            self._estimates = {}
        self.launch(prepare, title)

    def hear(self, message: dict[str, Any]) -> None:
        """Take in maps, estimates and the table."""
        if self._input is None:
            return
        if message["event"] == "result":
            self._take(*self._input, message)
        elif message["event"] == "particles":
            self.show_findings(
                *self._input,
                pd.DataFrame(message["particles"]),
                pd.DataFrame(message["courses"]),
                self._estimates,
                message["notes"],
            )
        elif message["event"] == "null":
            self.invented.setText(message["text"])

    def _take(self, layer: Layer, stack: Stack, message: dict[str, Any]) -> None:
        """Keep an estimate for close-ups; show the fused one, and maps but hidden."""
        name, array = message["name"], message["array"]
        inspects = self._task is Task.INSPECT
        if inspects and name in (*DIRECTIONS, FUSED):
            self._estimates[name] = array
            if self._given or name in DIRECTIONS:
                return
        result = stack.with_data(array, name.replace("_", " "), message["step"])
        shown = inspects and name == FUSED
        if shown:
            add_estimate(self._viewer, result, layer)
            return
        limits = contrast_limits(array)
        added = add_stack(self._viewer, result, like=layer, limits=limits)
        added.visible = False
        if inspects:
            added.colormap = "magma"

    def show_findings(
        self,
        layer: Layer,
        stack: Stack,
        particles: pd.DataFrame,
        courses: pd.DataFrame,
        estimates: Mapping[str, ndarray],
        notes: Sequence[str] = (),
    ) -> None:
        """Show what an inspection has found.

        Parameters
        ----------
        layer, stack
            The raw counts.
        particles
            One row per particle and frame.
        courses
            Raw amplitudes of each track, frame by frame.
        estimates
            By direction and fused; more may be put in later.
        notes
            Sentences the user should read.
        """
        if self.rings is not None:
            self.rings.remove()
        self._layer = layer
        self.findings = Findings(stack, particles, courses, estimates)
        particles = self.findings.particles
        decisions = self._judging.recall(particles, stack)
        self.rings = None
        if len(particles):
            self.rings = Rings(
                self._viewer,
                layer,
                particles,
                decisions,
                pick=self.table.pick,
                decide=self._decide_current,
            )
        self.view.clear()
        self.notes.setText("\n".join(notes))
        self.table.show_particles(particles, decisions)
        self.say(counted(particles["verdict"]))
        self.set_ready()

    def _sift_rings(self) -> None:
        if self.rings is not None:
            self.rings.show_only(self.table.shown)

    def _show_particle(self, number: int) -> None:
        """Go to a particle, and show all that is known of it."""
        if self.findings is not None and self.rings is not None:
            self.rings.go_to(number)
            self.rings.mark(number)
            self.view.show_particle(self.findings, number)
            self.set_ready()

    def _show_frame(self, frame: int) -> None:
        if self.rings is not None:
            self.rings.show_frame(frame)

    def _follow_frame(self, _event: object = None) -> None:
        if self._layer is not None:
            self.view.mark_frame(visible_frame(self._viewer, self._layer))

    def _decide_current(self, decision: Decision, whole: bool) -> None:
        if self.table.current is not None:
            self._decide([self.table.current], decision, whole)

    def _decide(self, numbers: list[int], decision: Decision, whole: bool) -> None:
        """Note a decision in the table, in the layer, and for later sessions."""
        if self.findings is None or not numbers:
            return
        if whole:
            numbers = self.findings.tracks_of(numbers)
        self.table.model.decide(numbers, decision)
        self._judging.note(numbers, decision)
        if self.rings is not None:
            self.rings.write_decisions(self.table.model.decisions)

    def _table(self) -> pd.DataFrame:
        assert self.findings is not None
        return with_decisions(self.findings.particles, self.table.model.decisions)

    def _film(self) -> tuple[Findings, int, Limits]:
        assert self.findings is not None
        assert self.table.current is not None
        return self.findings, self.table.current, self.view.close_up.limits

    def finish(self, well: bool) -> None:
        """Say how it ended, where nothing else tells."""
        if well and self.run is not None and self.run.stops:
            self.say("stopped")
        elif well and self._task is Task.NULL_TEST:
            self.say("what the denoiser invents is told under 'Null movie'")

    def showEvent(self, event: QShowEvent | None) -> None:
        """Follow the time slider."""
        super().showEvent(event)
        self._viewer.dims.events.current_step.connect(self._follow_frame)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Follow the time slider no longer."""
        super().hideEvent(event)
        self._viewer.dims.events.current_step.disconnect(self._follow_frame)

    def _leave(self) -> None:
        """Keep what was decided; leave the viewer alone."""
        self._judging.save()
        if self.rings is not None:
            self.rings.leave()
