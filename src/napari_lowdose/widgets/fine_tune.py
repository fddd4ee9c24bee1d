"""Dock widget: fit a base model to the movie at hand, and see whether it helps."""

from __future__ import annotations

from typing import Any

import napari
from napari.layers import Layer

from napari_lowdose.config import FineTuning
from napari_lowdose.io.atomic import replacing
from napari_lowdose.jobs import Task
from napari_lowdose.model_history import new_model_path
from napari_lowdose.widgets.checkpoint_strip import Checkpoint, CheckpointStrip
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.held_out_plot import HeldOutPlot
from napari_lowdose.widgets.layers import stack_from, visible_frame
from napari_lowdose.widgets.model_choice import ModelChoice, announce_model
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.preview import Preview
from napari_lowdose.widgets.runner import job_of

_TIME = ("seconds",)
_OTHERS = tuple(name for name in FineTuning.model_fields if name not in _TIME)


class FineTunePanel(EnginePanel):
    """Fit a base model to a layer; the best on held-out frames is kept, if it is one.

    What was kept is a model like others, which 'Denoise' offers.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Fine-tune", "Fit the base model to the noisy layer")
        super().__init__(napari_viewer, go, "End now; the best so far is kept")
        self.noisy = self.layer_choice()
        self.reference = self.layer_choice(none="(none)")
        self.model = ModelChoice(tunable=True)
        self.time = Form(FineTuning, hide=_OTHERS)
        self.form = Form(FineTuning, hide=_TIME)
        self.plot = HeldOutPlot()
        self.strip = CheckpointStrip()
        self.keep = button("Keep this one", "Save the picked one as a model file")
        self._watched: Layer | None = None
        self._preview: Preview | None = None
        self._lay_out()
        self._wire()
        self.set_ready()

    def _lay_out(self) -> None:
        movie = self.section("Movie and model")
        movie.rows.addRow("noisy", self.noisy)
        movie.rows.addRow("reference", self.reference)
        movie.rows.addRow("model", self.model)
        tune = self.section("Fine-tuning")
        tune.rows.addRow(self.time)
        tune.rows.addRow(in_a_row(self.go, self.stop))
        tune.rows.addRow(self.progress)
        tune.rows.addRow(self.plot)
        tune.rows.addRow(self.strip)
        tune.rows.addRow(self.keep)
        self._show_strip(False)
        self.section("Settings", expanded=False).rows.addRow(self.form)
        self.reference.setToolTip(
            "The same frames at low noise, if there are; else the noisy ones suffice"
        )

    def _wire(self) -> None:
        self.noisy.chosen.connect(self.set_ready)
        self.model.chosen.connect(self.set_ready)
        self.go.clicked.connect(self._tune)
        self.strip.picked.connect(self._pick)
        self.keep.clicked.connect(self._keep_picked)
        self.closed.connect(self._let_go)

    def can_start(self) -> bool:
        """Need a noisy layer and a model."""
        return self.noisy.layer is not None and self.model.path is not None

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        super().set_ready()
        picked = self.strip.chosen
        self.keep.setEnabled(
            picked is not None and picked.number > 0 and not self.strip.is_kept(picked)
        )

    @property
    def config(self) -> FineTuning:
        """The settings as they stand.

        Raises
        ------
        ValueError
            If they break a rule of the schema, in one sentence.
        """
        return self.form.config.replaced({_TIME: self.time.config.seconds})

    def _tune(self, _checked: bool = False) -> None:
        noisy, reference = self.noisy.layer, self.reference.layer
        if noisy is None:
            return
        with self.reporting():
            prepare = job_of(
                stack_from(noisy),
                stack_from(reference) if reference else None,
                task=Task.FINE_TUNE,
                model=str(self.model.path),
                frame=visible_frame(self._viewer, noisy),
                fine_tuning=self.config,
            )
            self._let_go()
            self.plot.clear()
            self.strip.clear_all()
            self._show_strip(False)
            self._watched, self._preview = noisy, Preview(self._viewer, noisy)
            self._viewer.dims.events.current_step.connect(self._look_at_frame)
            self.launch(prepare, "Fine-tuning")

    def hear(self, message: dict[str, Any]) -> None:
        """Draw losses, add pictures, show what becomes of the frame in view."""
        event = message["event"]
        if event == "ready":
            self._look_at_frame()
        elif event == "checkpoint":
            self._add(message)
        elif event == "preview":
            self._show_live(message)

    def _add(self, message: dict[str, Any]) -> None:
        given = ("number", "seconds", "loss", "base_loss", "best", "frame")
        checkpoint = Checkpoint(
            **{name: message[name] for name in given},
            image=message["array"],
            seen=tuple(message["seen"]),
            model=message["content"],
        )
        self.plot.append(checkpoint.seconds, checkpoint.loss)
        self.strip.add(checkpoint)
        self._show_strip(True)
        self._show_live(message)

    def _show_strip(self, shown: bool) -> None:
        for part in (self.strip, self.keep):
            part.setVisible(shown)

    def _show_live(self, message: dict[str, Any]) -> None:
        """Show the model of the moment, unless another one was picked."""
        if self._preview is not None and self.strip.chosen is None:
            self._preview.show(message["array"], message["frame"])

    def _pick(self) -> None:
        picked = self.strip.chosen
        if picked is not None and self._preview is not None:
            self._preview.bring(picked.image, picked.frame)
        self.set_ready()

    def _keep_picked(self, _checked: bool = False) -> None:
        picked = self.strip.chosen
        if picked is not None:
            with self.reporting():
                self.say(f"kept as {self._kept(picked)}, and 'Denoise' offers it")
            self.set_ready()

    def _kept(self, checkpoint: Checkpoint) -> str:
        """Save a checkpoint as a model file; give its name."""
        layer = self._watched.name if self._watched else "movie"
        path = new_model_path(f"{layer}-tuned-{checkpoint.seconds:.0f}s")
        with replacing(path) as temporary:
            temporary.write_bytes(checkpoint.model)
        announce_model(path)
        self.strip.mark_kept(checkpoint, path.stem)
        return path.stem

    def _look_at_frame(self, _event: object = None) -> None:
        if self._watched is None or self._preview is None:
            return
        if self.running and self.run is not None:
            self.run.look_at(visible_frame(self._viewer, self._watched))
        self._preview.leave()

    def finish(self, well: bool) -> None:
        """Keep the best, and say how much better it is."""
        if self._preview is not None and self.strip.chosen is None:
            self._preview.remove()
        if not well:
            return
        best = self.strip.best
        if best is None:
            self.say("nothing beat the base model on held-out frames: it is unchanged")
            return
        kept = self._kept(best)
        self.say(
            f"better by {best.gain:.2%} on held-out frames: kept as {kept}, and "
            "'Denoise' offers it"
        )

    def _let_go(self) -> None:
        """Take the preview away, and watch no layer."""
        if self._preview is not None:
            self._viewer.dims.events.current_step.disconnect(self._look_at_frame)
            self._preview.remove()
        self._watched = self._preview = None
