"""Edit a noise recipe: the dose, the detector and the stages of the recording."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_lowdose.noise import (
    DETECTORS,
    SUMMARIES,
    Noise,
    read_recipe,
    write_recipe,
)
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.last_folder import RECIPES
from napari_lowdose.widgets.log_slider import LogSlider
from napari_lowdose.widgets.panel import Panel, button, in_a_row
from napari_lowdose.widgets.stage_list import StageList

_CUSTOM = "custom"
_LEAST_DOSE, _LARGEST_DOSE = 0.01, 1000.0
_FILES = "Noise recipes (*.json)"


class NoiseEditor(QWidget):
    """Edit a recipe; any recipe, also one with stages twice or in another order.

    The law: ``editor.config`` is what it was last set to, until the user changes it.

    Parameters
    ----------
    panel
        Where it tells what went wrong with a file.

    Signals
    -------
    changed
        Emitted when the user, or a new `config`, has changed a value.
    """

    changed = Signal()

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self.form = Form(Noise)
        self.slider = LogSlider(_LEAST_DOSE, _LARGEST_DOSE)
        self.detector = Choice()
        self.detector.offer([*DETECTORS, _CUSTOM], [*map(_words, DETECTORS), _CUSTOM])
        self.stages = StageList()
        self.load = button("Load recipe…", "Take dose and stages from a JSON file")
        self.save = button("Save recipe…", "Keep dose, stages and seed as a JSON file")
        self._lay_out()
        self._wire()
        self.config = Noise()

    def _lay_out(self) -> None:
        self.slider.setToolTip(f"From {_LEAST_DOSE:g} to {_LARGEST_DOSE:g} per pixel")
        self.detector.setToolTip("A detector's stages and a dose that is usual with it")
        for row, name in enumerate(DETECTORS):
            about = SUMMARIES[name]
            self.detector.setItemData(row, about, Qt.ItemDataRole.ToolTipRole)
        rows = self.form.layout()
        rows.insertRow(1, self.slider)
        rows.insertRow(2, "detector", self.detector)
        rows.insertRow(3, self.stages)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        layout.addLayout(in_a_row(self.load, self.save))

    def _wire(self) -> None:
        self.slider.moved.connect(self.form.editor("dose").setValue)
        self.form.changed.connect(self._follow)
        self.stages.changed.connect(self._follow)
        self.detector.chosen.connect(self._take_detector)
        self.load.clicked.connect(self._ask_to_load)
        self.save.clicked.connect(self._ask_to_save)

    @property
    def config(self) -> Noise:
        """The recipe as it stands.

        Raises
        ------
        ValueError
            If a setting breaks a rule, in one sentence.
        """
        return self.form.config.replaced({("stages",): self.stages.config})

    @config.setter
    def config(self, noise: Noise) -> None:
        blocked = self.blockSignals(True)
        self.form.config = noise
        self.stages.config = noise.stages
        self.blockSignals(blocked)
        self._follow()

    def _follow(self) -> None:
        """Bring slider and detector in line with what has changed, and tell."""
        self.slider.show_number(self.form.editor("dose").value())
        self.detector.setCurrentText(self._name())
        self.changed.emit()

    def _name(self) -> str:
        """Name the detector with these stages, whatever its dose."""
        try:
            stages = self.stages.config
        except ValueError:
            return _CUSTOM  # being typed; starting will tell
        names = (name for name, noise in DETECTORS.items() if noise.stages == stages)
        return _words(next(names, _CUSTOM))

    def _take_detector(self) -> None:
        recipe = DETECTORS.get(self.detector.value)
        if recipe is not None:
            self.config = recipe.replaced({("seed",): self.form.config.seed})

    def _ask_to_load(self, _checked: bool = False) -> None:
        path = RECIPES.ask_for_file(self, "Load a noise recipe", _FILES)
        if path is not None:
            with self._panel.reporting():
                self.config = read_recipe(path)

    def _ask_to_save(self, _checked: bool = False) -> None:
        path = RECIPES.ask_where_to_save(
            self, "Save this noise recipe", "noise.json", _FILES
        )
        if path is not None:
            with self._panel.reporting():
                write_recipe(self.config, path)


def _words(name: str) -> str:
    return name.replace("_", " ")
