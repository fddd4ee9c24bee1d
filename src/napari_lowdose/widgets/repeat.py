"""Dock widget: what made one layer, once more on another layer or on files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from qtpy.QtGui import QGuiApplication

from napari_lowdose.compare import command_of
from napari_lowdose.compare.repeating import Repetition
from napari_lowdose.io.each_file import outputs_for
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.comparison_files import source_file
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.last_folder import EXPORTS
from napari_lowdose.widgets.layers import add_estimate, recipe_of, stack_from
from napari_lowdose.widgets.panel import button, in_a_row, wrapped_label
from napari_lowdose.widgets.run_folder import FolderRun, free_folder, task_of
from napari_lowdose.widgets.runner import job_of


class RepeatPanel(EnginePanel):
    """Take the method of one layer and run it on another, or on a folder of movies."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Repeat", "Run the same method on this layer")
        super().__init__(napari_viewer, go, "End now; files that are done stay")
        self.like = self.layer_choice()
        self.other = self.layer_choice()
        self.method = wrapped_label()
        self.file = wrapped_label()
        self.command = button(
            "Copy as command", "Copy the command that makes this result again"
        )
        self.folder = button(
            "Run on a folder…",
            "Run the method on each TIFF file of a folder; results go to a new folder "
            "beside it",
        )
        self._repeats: Repetition | None = None
        self._job: tuple[Repetition, Layer, Stack] | None = None
        self._files: FolderRun | None = None
        self._said = ""
        self._lay_out()
        self._wire()
        self._take_active()
        self._read()

    def _lay_out(self) -> None:
        result = self.section("What to repeat")
        result.rows.addRow("result", self.like)
        result.rows.addRow("method", self.method)
        result.rows.addRow(self.command)
        again = self.section("On what")
        again.rows.addRow("layer", self.other)
        again.rows.addRow(in_a_row(self.go, self.folder))
        again.rows.addRow(in_a_row(self.progress, self.stop))
        again.rows.addRow(self.file)
        self.file.hide()
        self.like.setToolTip("A denoised layer; the selected one is taken over")
        self.other.setToolTip("The movie that the same method shall denoise")

    def _wire(self) -> None:
        self.like.chosen.connect(self._read)
        self.other.chosen.connect(self.set_ready)
        self.go.clicked.connect(self._repeat)
        self.command.clicked.connect(self._copy)
        self.folder.clicked.connect(self.ask_for_folder)
        self._viewer.layers.selection.events.active.connect(self._take_active)

    @property
    def busy(self) -> bool:
        """Whether a job goes on, or files are left."""
        return self.running or (self._files is not None and self._files.busy)

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        known = self._repeats is not None
        self.go.setEnabled(known and not self.busy and self.other.layer is not None)
        self.folder.setEnabled(known and not self.busy)
        self.command.setEnabled(known)
        self.stop.setEnabled(self.running)

    def _take_active(self, _event: object = None) -> None:
        """Take over the selected layer, if it is a result."""
        active = self._viewer.layers.selection.active
        if active is not None and recipe_of(active.metadata):
            self.reset_choices()
            if active in self.like.values and _repeatable(active):
                self.like.value = active

    def _read(self) -> None:
        """Say how the result was made, or why it cannot be repeated."""
        layer, self._repeats = self.like.layer, None
        others = [one for one in self.other.values if one is not layer]
        if self.other.layer is layer and others:
            self.other.value = others[-1]
        try:
            if layer is not None:
                self._repeats = repetition_of(layer)
                self.method.setText(self._repeats.words)
            else:
                self.method.setText("there is no layer yet")
        except ValueError as error:
            self.method.setText(str(error))
        self.set_ready()

    def _repeat(self, _checked: bool = False) -> None:
        layer, repeats = self.other.layer, self._repeats
        if layer is None or repeats is None:
            return
        with self.reporting():
            stack = stack_from(layer)
            task = task_of(repeats)
            self._job, self._files = (repeats, layer, stack), None
            self._said = ""
            prepare = job_of(stack, None, task=task, **repeats.settings)
            self.launch(prepare, "Repeating")

    def hear(self, message: dict[str, Any]) -> None:
        """Show the result, or leave it beside the others."""
        if message["event"] == "failed":  # a warning has told it as well
            self._said = message["text"]
        if message["event"] != "result":
            return
        if self._files is not None:
            self._files.take(message)
        elif self._job is not None and self._job[0].wants(message["name"]):
            self._add(*self._job[1:], message)

    def _add(self, layer: Layer, stack: Stack, message: dict[str, Any]) -> None:
        if layer not in self._viewer.layers:
            self._said = f"the layer {stack.name!r} is gone, and with it the result"
            return
        result = stack.with_data(message["array"], message["name"], message["step"])
        add_estimate(self._viewer, result, layer)
        self._said = f"added {result.name!r}"

    def finish(self, well: bool) -> None:
        """Go on with the next file, if there are any."""
        if self._files is not None:
            self._files.go_on()
        elif well and self.run is not None:
            self.say(self._said or ("stopped" if self.run.stops else ""))
        self._job = None

    def ask_for_folder(self, _checked: bool = False) -> None:
        """Let the user choose a folder of movies, and begin."""
        folder = EXPORTS.ask_for_folder(self, "Folder of movies, each in a TIFF file")
        if folder is not None:
            self.run_on(folder)

    def run_on(self, source: Path) -> None:
        """Run the method on each TIFF file of a folder."""
        repeats = self._repeats
        if repeats is None:
            self.say(self.method.text())
            return
        with self.reporting():
            target = free_folder(source, repeats.method)
            pairs = outputs_for(source, target, repeats.method)
            self._files = FolderRun(self, repeats, pairs)
            self._files.told.connect(self._tell_file)
            self._files.ended.connect(self._end_files)
            self._files.start()

    def _tell_file(self, text: str) -> None:
        self.file.setText(text)
        self.file.setVisible(bool(text))

    def _end_files(self, sentence: str) -> None:
        self.say(sentence)
        self.set_ready()

    def _copy(self, _checked: bool = False) -> None:
        if self.like.layer is not None:
            with self.reporting():
                command = command_for(self.like.layer, self._viewer.layers)
                QGuiApplication.clipboard().setText(command)
                self.say(f"copied: {command}")


def repetition_of(layer: Layer) -> Repetition:
    """Read how a layer was made.

    Raises
    ------
    ValueError
        If it does not tell, or it cannot be repeated.
    """
    return Repetition.of(recipe_of(layer.metadata), layer.name)


def command_for(layer: Layer, layers: Iterable[Layer]) -> str:
    """Spell the command that makes a layer again.

    Parameters
    ----------
    layer
        The result.
    layers
        Among which the movie may be that it was made of: results are named after it.

    Raises
    ------
    ValueError
        If the layer does not tell how it was made.
    """
    repetition_of(layer)
    movies = [one for one in layers if layer.name.startswith(f"{one.name} ")]
    nearest = max(movies, key=lambda one: len(one.name), default=None)
    noisy = source_file(nearest) if nearest is not None else "noisy.tif"
    return command_of(recipe_of(layer.metadata)[-1], noisy=noisy)


def copy_command(viewer: napari.Viewer) -> None:
    """Copy the command that makes the selected layer again; for the Layers menu."""
    layer = viewer.layers.selection.active
    if layer is None:
        show_warning("select one denoised layer first")
        return
    try:
        command = command_for(layer, viewer.layers)
    except ValueError as error:
        show_warning(str(error))
        return
    QGuiApplication.clipboard().setText(command)
    show_info(f"copied: {command}")


def run_on_folder(viewer: napari.Viewer) -> None:
    """Run the method of the selected layer on a folder; for the Layers menu."""
    _, panel = viewer.window.add_plugin_dock_widget("napari-lowdose", "Repeat")
    panel.ask_for_folder()


def _repeatable(layer: Layer) -> bool:
    steps = recipe_of(layer.metadata)
    return bool(steps) and steps[-1].get("step") == "denoise"
