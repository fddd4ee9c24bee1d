"""Dock widget: many methods side by side, with their scores."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import napari
from napari.experimental import link_layers, unlink_layers
from napari.layers import Image, Layer
from qtpy.QtWidgets import QFileDialog

from napari_lowdose.compare import SCORES, Result, write_results
from napari_lowdose.config import Comparison
from napari_lowdose.jobs import Task
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.layers import (
    add_stack,
    contrast_limits,
    stack_from,
    visible_frame,
)
from napari_lowdose.widgets.model_choice import ModelChoice
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.runner import job_of
from napari_lowdose.widgets.score_table import ScoreTable

_LINKED = ("contrast_limits",)


class ComparePanel(EnginePanel):
    """Run baselines and a model on one layer and see which is best."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Compare", "Run all methods and put them side by side")
        super().__init__(napari_viewer, go, "End now; results so far stay")
        self.noisy = self.layer_choice()
        self.truth = self.layer_choice(none="(none)")
        self.model = ModelChoice(none="(classical methods only)")
        self.form = Form(Comparison)
        self.table = ScoreTable(SCORES)
        self.save = button("Save…", "Layers, table and picture in a folder")
        self._results: list[Result] = []
        self._layers: dict[str, Layer] = {}
        self._input: Stack | None = None
        self._truth: Stack | None = None
        self._lay_out()
        self._wire()
        self.set_ready()

    def _lay_out(self) -> None:
        movie = self.section("Movie and model")
        movie.rows.addRow("noisy", self.noisy)
        movie.rows.addRow("truth", self.truth)
        movie.rows.addRow("model", self.model)
        compare = self.section("Comparing")
        compare.rows.addRow(in_a_row(self.go, self.stop))
        compare.rows.addRow(self.progress)
        scores = self.section("Scores")
        scores.rows.addRow(self.table)
        scores.rows.addRow(self.save)
        self.section("Settings", expanded=False).rows.addRow(self.form)
        self.truth.setToolTip("Expected counts of the same movie, if they are known")

    def _wire(self) -> None:
        self.noisy.chosen.connect(self.set_ready)
        self.go.clicked.connect(self._compare)
        self.table.picked.connect(self._pick)
        self.save.clicked.connect(self._ask_where_to_save)
        self._viewer.layers.events.removing.connect(self._unlink)

    def can_start(self) -> bool:
        """Need a noisy layer."""
        return self.noisy.layer is not None

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        super().set_ready()
        self.save.setEnabled(bool(self._results) and not self.running)

    def _compare(self, _checked: bool = False) -> None:
        noisy, truth = self.noisy.layer, self.truth.layer
        if noisy is None:
            return
        with self.reporting():
            self._input = stack_from(noisy)
            self._truth = stack_from(truth) if truth else None
            prepare = job_of(
                self._input,
                self._truth,
                task=Task.COMPARE,
                model=str(self.model.path or ""),
                comparison=self.form.config,
            )
            self._results = []
            self._layers = {"truth": truth} if truth else {}
            self._layers["noisy"] = noisy
            self.table.clear_rows()
            self.launch(prepare, "Comparing")

    def hear(self, message: dict[str, Any]) -> None:
        """Show each result as soon as it comes."""
        if message["event"] != "result" or self._input is None:
            return
        name = message["name"]
        stack = self._input
        if name != "noisy":
            stack = stack.with_data(message["array"], name, message["step"])
            like = self._layers["noisy"]
            self._layers[name] = add_stack(self._viewer, stack, like=like)
        scores, seconds = message["scores"], message["seconds"]
        tuned = message["step"].get("settings", {})
        self._results.append(Result(name, stack, scores, seconds, tuned))
        self.table.add_row(name, scores)

    def finish(self, _well: bool) -> None:
        """Arrange what there is; also after a stop."""
        if len(self._results) > 1:
            self._put_side_by_side()
            self.say("click a row to select its layer")

    def _put_side_by_side(self) -> None:
        """One box per method, in one contrast; other layers step aside."""
        ours = self._shown()
        for layer in self._viewer.layers:
            layer.visible = layer in ours
            layer.name_overlay.visible = layer in ours
        images = [layer for layer in ours if isinstance(layer, Image)]
        best = self._truth or self._results[-1].stack
        if images and best is not None:
            link_layers(images, _LINKED)
            images[0].contrast_limits = contrast_limits(best.data)
        self._viewer.canvas.grid.enabled = True
        self._viewer.fit_to_view()

    def _shown(self) -> list[Layer]:
        ours = self._layers.values()
        return [layer for layer in ours if layer in self._viewer.layers]

    def _unlink(self, event: Any) -> None:  # noqa: ANN401 - napari's event
        layer = self._viewer.layers[event.index]
        if layer in self._layers.values() and isinstance(layer, Image):
            images = [one for one in self._shown() if isinstance(one, Image)]
            unlink_layers(images, _LINKED)
            link_layers([one for one in images if one is not layer], _LINKED)

    def _pick(self, method: str) -> None:
        layer = self._layers.get(method)
        if layer is not None and layer in self._viewer.layers:
            layer.visible = True
            self._viewer.layers.selection.active = layer

    def _ask_where_to_save(self, _checked: bool = False) -> None:
        name = QFileDialog.getExistingDirectory(self, "Where to save the comparison")
        if name:
            self.save_to(Path(name))

    def save_to(self, folder: Path) -> None:
        """Write layers, table and picture, in the background."""
        frame = visible_frame(self._viewer, self._layers["noisy"])
        steps = partial(_saved, tuple(self._results), folder, self._truth, frame)
        work = Background(steps, title="Saving", panel=self)
        work.came.connect(lambda path: self.say(f"saved in {path}"))
        self.say("saving …")
        work.start()


def _saved(
    results: tuple[Result, ...], folder: Path, truth: Stack | None, frame: int
) -> Iterator[Path]:
    yield write_results(results, folder, truth=truth, frame=frame)
