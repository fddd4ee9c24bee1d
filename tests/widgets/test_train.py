from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_lowdose.config import PRESETS, Network, Plane, Training
from napari_lowdose.model_history import recent_models

LEFT = Qt.MouseButton.LeftButton
# The start of the engine and of torch takes some seconds on a busy machine.
START_MS = 60_000
TINY = Training(
    planes=(Plane.XY,),
    epochs=2,
    batch=8,
    patch_px=16,
    network=Network(depth=1, width=2),
)
ENDLESS = TINY.replaced({("epochs",): 100_000})


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def training(dock, qtbot, movie, calibrated, tmp_path):
    """Open the panel with a calibrated movie and tiny settings."""

    def opened(config, *, show=False):
        viewer, panel = dock("Train", show=show)
        viewer.add_image(movie, name="movie", **calibrated)
        panel.form.config = config
        panel.model.setText(str(tmp_path / "tiny.lowdose"))
        return viewer, panel

    return opened


def ended(panel):
    return not panel.running and panel.go.isEnabled()


def test_a_click_trains_into_a_model_file(training, qtbot, tmp_path):
    viewer, panel = training(TINY)
    qtbot.mouseClick(panel.go, LEFT)
    assert not panel.go.isEnabled()
    assert panel.stop.isEnabled()
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert (tmp_path / "tiny.lowdose").is_file()
    assert {name: len(losses) for name, losses in panel.plot.curves.items()} == {
        "train": 2,
        "validation": 2,
    }
    assert "tiny.lowdose" in panel.status.text()
    assert recent_models()[0] == tmp_path / "tiny.lowdose"
    assert not panel.stop.isEnabled()
    assert [layer.name for layer in viewer.layers] == ["movie"]
    # a second click continues, but there is nothing left to do
    assert panel.resume.isChecked()
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "has had 2 epochs already" in panel.status.text()
    # and no model is lost to a new one of its name
    before = (tmp_path / "tiny.lowdose").read_bytes()
    panel.resume.setChecked(False)
    qtbot.mouseClick(panel.go, LEFT)
    assert "tiny.lowdose exists" in panel.status.text()
    assert (tmp_path / "tiny.lowdose").read_bytes() == before


def test_stop_keeps_the_weights_and_a_preview_follows_the_frame(
    training, qtbot, tmp_path, calibrated
):
    viewer, panel = training(ENDLESS)
    viewer.dims.set_current_step(0, 3)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=START_MS)
    preview, movie = viewer.layers["preview"], viewer.layers["movie"]
    assert preview.data.shape == (1, 48, 48)
    assert preview.units == movie.units
    np.testing.assert_allclose(
        preview.data_to_world((0, 1, 1)), movie.data_to_world((3, 1, 1))
    )
    viewer.dims.set_current_step(0, 9)
    assert not preview.visible  # what another frame looked like would mislead
    qtbot.waitUntil(lambda: preview.visible, timeout=20_000)
    assert preview.data_to_world((0, 0, 0))[0] == pytest.approx(0.9)
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=20_000)
    assert (tmp_path / "tiny.lowdose").is_file()
    assert "preview" not in viewer.layers


def test_pause_holds_the_training(training, qtbot):
    _, panel = training(ENDLESS)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: bool(panel.plot.curves), timeout=START_MS)
    qtbot.mouseClick(panel.pause, LEFT)
    qtbot.wait(500)
    before = len(panel.plot.curves["train"])
    assert panel.status.text() == "paused"
    qtbot.wait(300)
    assert len(panel.plot.curves["train"]) == before
    qtbot.mouseClick(panel.pause, LEFT)
    qtbot.waitUntil(lambda: len(panel.plot.curves["train"]) > before, timeout=20_000)
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=20_000)


@pytest.mark.parametrize("how", ["dock", "layer", "viewer"])
def test_closing_in_mid_run_is_safe_and_leaves_no_process(training, qtbot, how):
    viewer, panel = training(ENDLESS)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: bool(panel.plot.curves), timeout=START_MS)
    pid = panel.run.process.pid
    assert alive(pid)
    if how == "dock":
        viewer.window.remove_dock_widget(panel)
    elif how == "viewer":
        viewer.close()
    else:
        viewer.layers.remove("movie")
        qtbot.wait(2000)  # a preview comes, of a layer that is gone
        assert panel.running
        qtbot.mouseClick(panel.stop, LEFT)
        qtbot.waitUntil(lambda: not panel.running, timeout=20_000)
    limit = time.monotonic() + 5
    while alive(pid) and time.monotonic() < limit:
        QTest.qWait(20)
    assert not alive(pid)


def test_a_setting_that_breaks_a_rule_is_told_in_one_sentence(training, qtbot):
    _, panel = training(TINY)
    panel.form.editor("patch_px").setValue(50)
    qtbot.mouseClick(panel.go, LEFT)
    assert "patch_px" in panel.status.text()
    assert "\n" not in panel.status.text()
    assert not panel.running
    assert panel.go.isEnabled()


def test_a_stack_that_cannot_be_learned_from_is_told_in_one_sentence(training, qtbot):
    viewer, panel = training(TINY)
    viewer.add_image(np.full((6, 32, 32), 5, "u2"), name="flat")
    panel.noisy.value = viewer.layers["flat"]
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "contrast" in panel.status.text()
    assert "\n" not in panel.status.text()


def test_presets_fill_the_form_and_changes_make_them_custom(training):
    _, panel = training(PRESETS["quick"])
    assert panel.preset.value == "quick"
    panel.preset.value = "paper"
    assert panel.form.config == PRESETS["paper"]
    panel.form.editor("epochs").setValue(7)
    assert panel.preset.value == "custom"


def test_a_model_file_is_proposed_until_the_user_names_one(dock, movie, tmp_path):
    viewer, panel = dock("Train")
    assert not panel.go.isEnabled()
    viewer.add_image(movie, name="my movie")
    proposed = Path(panel.model.text())
    assert proposed.name.startswith("my-movie")
    assert proposed.parent.is_dir()
    assert not panel.resume.isEnabled()
    panel.model.setText(str(tmp_path / "mine.lowdose"))
    viewer.add_image(movie, name="other")
    panel.noisy.value = viewer.layers["other"]
    assert panel.model.text() == str(tmp_path / "mine.lowdose")


def test_screenshot(training, qtbot, screenshot):
    viewer, panel = training(ENDLESS, show=True)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(
        lambda: "preview" in viewer.layers and len(panel.plot.curves["train"]) > 6,
        timeout=START_MS,
    )
    assert screenshot(viewer, "train").exists()
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=20_000)


def test_the_next_training_gets_a_file_of_its_own(dock, movie, qtbot):
    viewer, panel = dock("Train")
    viewer.add_image(movie, name="movie")
    panel.form.config = TINY
    first = panel.model.text()
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert Path(first).is_file()
    assert Path(first).name in panel.status.text()
    assert panel.model.text() != first
    assert not panel.resume.isChecked()
