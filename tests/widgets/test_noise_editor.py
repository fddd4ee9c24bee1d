from __future__ import annotations

from pathlib import Path

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLabel, QScrollArea

from napari_lowdose.noise import DETECTORS, STAGES, Noise, Poisson, Readout
from napari_lowdose.widgets.last_folder import RECIPES
from napari_lowdose.widgets.log_slider import LogSlider
from napari_lowdose.widgets.noise_editor import NoiseEditor
from napari_lowdose.widgets.panel import Panel

LEFT = Qt.MouseButton.LeftButton
ODD = {
    "nothing": Noise(stages=()),
    "another order": Noise(stages=(Readout(gain=2), Poisson())),
    "twice": Noise(
        stages=(Readout(offset=5), Poisson(), Readout(readout_std=7), Readout())
    ),
    "small and large": Noise(dose=4e-4, seed=2**32 - 1),
    "the stack's own dose": Noise(dose=0),
    "a dose beyond the slider": Noise(dose=1e6),
    "all": Noise(stages=tuple(kind() for kind in STAGES.values() if not kind.counting)),
}


@pytest.fixture
def editor(qtbot):
    panel = Panel(ViewerModel())
    made = NoiseEditor(panel)
    panel.section("noise").rows.addRow(made)
    qtbot.addWidget(panel)
    return made


def test_an_editor_starts_with_the_usual_recipe(editor):
    assert editor.config == Noise()
    assert editor.detector.value == "counting"


@pytest.mark.parametrize("recipe", [DETECTORS, ODD], ids=["detectors", "odd"])
def test_an_editor_gives_back_every_recipe_it_is_given(editor, recipe):
    # one after the other in one editor: rows of the former must leave no trace
    for name, noise in recipe.items():
        editor.config = noise
        assert editor.config == noise, name


def test_a_detector_fills_the_editor_and_a_change_makes_it_custom(editor):
    editor.form.editor("seed").setValue(3)
    for name, noise in DETECTORS.items():
        editor.detector.value = name
        assert editor.config == noise.replaced({("seed",): 3})
        assert editor.detector.value == name
    editor.config = DETECTORS["poisson_gaussian"]
    editor.slider.setValue(0)  # a dose is no part of a detector
    assert editor.detector.value == "poisson_gaussian"
    editor.stages.row("readout").form.editor("gain").setValue(9)
    assert editor.detector.value == "custom"
    assert editor.config.stages[-1].gain == 9


def test_a_click_adds_a_stage_with_its_settings_in_its_place(editor, qtbot):
    row = editor.stages.row("readout")
    with qtbot.waitSignal(editor.changed):
        row.box.click()
    assert editor.config.stages == (Poisson(), Readout())
    assert row.arrow.isChecked()  # its settings are unfolded
    editor.stages.row("poisson").box.click()
    assert editor.config.stages == (Readout(),)
    row.box.click()
    assert editor.config.stages == ()


def test_a_stage_that_is_switched_off_and_on_keeps_its_settings(editor):
    row = editor.stages.row("readout")
    row.box.click()
    row.form.editor("gain").setValue(3)
    row.box.click()
    row.box.click()
    assert editor.config.stages == (Poisson(), Readout(gain=3))


def test_every_stage_is_listed_with_its_sentence(editor):
    assert [row.name for row in editor.stages.rows] == [*STAGES]
    for row in editor.stages.rows:
        assert row.box.toolTip().startswith(STAGES[row.name].__doc__.split("\n")[0])


def test_slider_and_box_show_one_dose(editor, qtbot):
    editor.form.editor("dose").setValue(10)
    assert editor.slider.value() == editor.slider.maximum() * 3 // 5
    with qtbot.waitSignal(editor.changed):
        editor.slider.setValue(editor.slider.maximum())
    assert editor.config.dose == 1000
    editor.slider.setValue(0)
    assert editor.config.dose == 0.01


def test_a_slider_does_not_change_what_it_cannot_show(qtbot):
    slider = LogSlider(0.01, 1000)
    qtbot.addWidget(slider)
    with qtbot.assertNotEmitted(slider.moved):
        for number in (0, 1e-9, 1e9, 3.3):
            slider.show_number(number)


def test_recipes_are_saved_loaded_and_their_folder_is_remembered(
    editor, tmp_path, monkeypatch
):
    path, asked = tmp_path / "mine.json", []

    def choose(_parent, _title, folder, _kinds):
        asked.append(folder)
        return str(path.with_suffix("") if len(asked) == 1 else path), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    RECIPES.remember(Path())
    editor.config = ODD["twice"]
    editor.save.click()
    editor.config = Noise()
    editor.load.click()
    assert editor.config == ODD["twice"]
    assert asked == ["noise.json", str(tmp_path)]


def test_what_is_no_recipe_is_said_in_one_sentence(editor, tmp_path, monkeypatch):
    path = tmp_path / "other.json"
    path.write_text("[1, 2]")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    editor.load.click()
    assert "other.json" in editor._panel.status.text()
    assert "\n" not in editor._panel.status.text()
    assert editor.config == Noise()


def test_the_editor_fits_into_a_panel_with_all_stages_unfolded(editor, qtbot):
    editor.config = Noise(stages=tuple(kind() for kind in STAGES.values()))
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(editor)
    area.resize(340 - 28, 2000)
    area.show()
    for row in editor.stages.rows:
        row.arrow.setChecked(True)
    assert editor.minimumSizeHint().width() <= 340 - 28
    labels = [label for label in editor.findChildren(QLabel) if label.text()]
    assert all(label.sizeHint().width() <= label.width() for label in labels)
