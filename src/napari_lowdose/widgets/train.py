"""Dock widget: fit networks to a noisy movie and watch them learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QPushButton

from napari_lowdose.config import PRESETS, Training
from napari_lowdose.jobs import Task
from napari_lowdose.model_history import new_model_path
from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.layers import stack_from, visible_frame
from napari_lowdose.widgets.loss_plot import LossPlot, mean_loss
from napari_lowdose.widgets.model_choice import FILES, announce_model
from napari_lowdose.widgets.noise_advice import NoiseAdvice
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.preview import Preview
from napari_lowdose.widgets.runner import job_of

_CUSTOM = "custom"


class TrainPanel(EnginePanel):
    """Train on a layer, with or without truth, into a model file."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Train", "Fit networks to the noisy layer, in the background")
        super().__init__(napari_viewer, go, "End now; the best weights so far are kept")
        self.noisy = self.layer_choice()
        self.truth = self.layer_choice(none="(none)")
        self.preset = Choice()
        self.preset.offer([*PRESETS, _CUSTOM], [*PRESETS, _CUSTOM])
        self.form = Form(Training)
        self.advice = NoiseAdvice(self)
        self.model = QLineEdit()
        self.browse = QPushButton("…")
        self.browse.setFixedWidth(30)
        self.resume = QCheckBox("continue the training in this file")
        self.pause = button("Pause", "Hold the training; click again to go on")
        self.pause.setCheckable(True)
        self.plot = LossPlot()
        self._proposed = ""
        self._watched: Layer | None = None
        self._preview: Preview
        self._lay_out()
        self._wire()
        self._propose_model()
        self.advice.look_at(self.noisy.layer)
        self.set_ready()

    def _lay_out(self) -> None:
        stack = self.section("Movie")
        stack.rows.addRow("noisy", self.noisy)
        stack.rows.addRow("truth", self.truth)
        self.section("What the data are").rows.addRow(self.advice)
        model = self.section("Model")
        model.rows.addRow("file", in_a_row(self.model, self.browse))
        model.rows.addRow("", self.resume)
        model.rows.addRow("preset", self.preset)
        train = self.section("Training")
        train.rows.addRow(in_a_row(self.go, self.pause, self.stop))
        train.rows.addRow(self.progress)
        train.rows.addRow(self.plot)
        self.section("Advanced", expanded=False).rows.addRow(self.form)
        self.truth.setToolTip("Expected counts of the same movie, if they are known")
        self.model.setToolTip("Where the trained networks are kept")

    def _wire(self) -> None:
        self.noisy.chosen.connect(self._propose_model)
        self.noisy.chosen.connect(self.set_ready)
        self.noisy.chosen.connect(lambda: self.advice.look_at(self.noisy.layer))
        self.advice.taken.connect(self._take_detector)
        self.preset.chosen.connect(self._take_preset)
        self.form.changed.connect(self._name_preset)
        self.model.textChanged.connect(self._look_for_model)
        self.browse.clicked.connect(self._ask_for_model)
        self.go.clicked.connect(self._train)
        self.pause.toggled.connect(self._pause)

    def can_start(self) -> bool:
        """Need a noisy layer."""
        return self.noisy.layer is not None

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        super().set_ready()
        self.pause.setEnabled(self.running)

    def _take_preset(self) -> None:
        config = PRESETS.get(self.preset.value)
        if config is not None:
            self.form.config = config

    def _take_detector(self, measured: NoiseMeasurement) -> None:
        """Train with the detector that the noise tells."""
        with self.reporting():
            gain, offset = measured.gain.value, measured.offset.value
            readout_std = 0.0 if measured.counting else measured.readout_std.value
            self.form.config = self.form.config.replaced(
                {
                    ("gain",): gain,
                    ("offset",): offset,
                    ("readout_std",): readout_std,
                }
            )
            self.say(
                f"trains with gain {gain:.4g}, offset {offset:.4g} and readout noise "
                f"{readout_std:.4g}"
            )

    def _name_preset(self) -> None:
        try:
            config = self.form.config
        except ValueError:
            config = None  # being typed; starting will tell
        names = (name for name, preset in PRESETS.items() if preset == config)
        self.preset.setCurrentText(next(names, _CUSTOM))

    def _propose_model(self) -> None:
        """Propose a new file for the chosen layer, unless the user has named one."""
        layer = self.noisy.layer
        if layer is not None and self.model.text() == self._proposed:
            with self.reporting():
                self._proposed = str(new_model_path(layer.name))
                self.model.setText(self._proposed)

    def _ask_for_model(self, _checked: bool = False) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self,
            "Where to keep the model",
            self.model.text(),
            FILES,
            # An old model can be continued, so choosing it is no mistake.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if name:
            self.model.setText(name)

    def _look_for_model(self, _text: str = "") -> None:
        exists = self._model_path().is_file()
        self.resume.setEnabled(exists)
        self.resume.setChecked(exists)

    def _model_path(self) -> Path:
        return Path(self.model.text()).expanduser()

    def _train(self, _checked: bool = False) -> None:
        noisy, truth = self.noisy.layer, self.truth.layer
        if noisy is None:
            return
        with self.reporting():
            self._protect_model()
            prepare = job_of(
                stack_from(noisy),
                stack_from(truth) if truth else None,
                task=Task.TRAIN,
                training=self.form.config,
                model=str(self._model_path()),
                resume=self.resume.isChecked(),
            )
            self._watched = noisy
            self._preview = Preview(self._viewer, noisy)
            self.plot.clear()
            self._viewer.dims.events.current_step.connect(self._look_at_frame)
            self.launch(prepare, "Training")

    def _protect_model(self) -> None:
        """Refuse to train a new model over an old one."""
        path = self._model_path()
        if path.is_file() and not self.resume.isChecked():
            raise ValueError(
                f"{path.name} exists; continue the training in this file, or give the "
                "new model another name"
            )

    def hear(self, message: dict[str, Any]) -> None:
        """Draw losses, show previews, remember the model."""
        event = message["event"]
        if event == "ready":
            self._look_at_frame()
        elif event == "epoch":
            self.plot.append(
                train=mean_loss(message["train_loss"]),
                validation=mean_loss(message["valid_loss"]),
            )
        elif event == "preview":
            self._preview.show(message["array"], message["frame"])
        elif event == "model":
            announce_model(Path(message["path"]))

    def _look_at_frame(self, _event: object = None) -> None:
        if self.running and self.run is not None and self._watched is not None:
            self.run.look_at(visible_frame(self._viewer, self._watched))
            self._preview.leave()

    def _pause(self, paused: bool) -> None:
        self.pause.setText("Resume" if paused else "Pause")
        if self.run is not None:
            self.run.pause(paused)
        if self.running:
            self.say("paused" if paused else "training …")

    def finish(self, well: bool) -> None:
        """Clear away what belonged to the run; say where the model is."""
        self._viewer.dims.events.current_step.disconnect(self._look_at_frame)
        self._preview.remove()
        self._watched = None
        self.pause.setChecked(False)
        if well:
            name = self._model_path().name
            self.say(f"trained; the model is {name}, and 'Denoise' offers it")
            self._look_for_model()
            if self.run is not None and not self.run.stops:
                self._propose_model()  # another training is another model
