from __future__ import annotations

import os
import time

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_lowdose.base_models import load_base
from napari_lowdose.config import FineTuning
from napari_lowdose.model_history import recent_models
from napari_lowdose.widgets.checkpoint_strip import Checkpoint, CheckpointStrip
from napari_lowdose.widgets.model_choice import announce_model

LEFT = Qt.MouseButton.LeftButton
START_MS = 60_000
SHORT = FineTuning(seconds=1.5, learning_rate=2e-3, frames=8, size_px=16)
LONG = SHORT.replaced({("seconds",): 600.0})


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ended(panel):
    return not panel.running and panel.go.isEnabled()


@pytest.fixture
def tuning(dock, movie, truth, calibrated, tiny_base):
    """Open the panel with a movie, its truth and a tiny base model."""

    def opened(config, *, show=False):
        announce_model(tiny_base)
        viewer, panel = dock("Fine-tune", show=show)
        viewer.add_image(truth, name="truth", **calibrated)
        viewer.add_image(movie, name="movie", **calibrated)
        panel.noisy.value = viewer.layers["movie"]
        panel.model.combo.value = tiny_base
        panel.form.config = panel.time.config = config
        return viewer, panel

    return opened


def test_what_beats_the_base_model_is_kept_and_offered(tuning, qtbot):
    viewer, panel = tuning(SHORT)
    panel.reference.value = viewer.layers["truth"]
    assert panel.config == SHORT
    qtbot.mouseClick(panel.go, LEFT)
    assert panel.stop.isEnabled()
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    base, *others = panel.strip.checkpoints
    assert base.number == 0
    assert base.model == b""
    # weights that chance gave are easily beaten when the truth is told
    assert panel.strip.best is others[-1]
    assert panel.plot.losses == [one.loss for one in panel.strip.checkpoints]
    kept = recent_models()[0]
    assert kept.name.startswith("movie-tuned")
    assert f"{others[-1].gain:.2%}" in panel.status.text()
    assert kept.stem in panel.status.text()
    assert load_base(kept).header.fine_tuning is not None
    assert panel.strip.is_kept(others[-1])
    # it can be fine-tuned again, but the next run begins from the same as this one
    assert kept in panel.model.combo.values
    assert panel.model.path.name == "tiny.lowdose"
    assert [layer.name for layer in viewer.layers] == ["truth", "movie"]


def test_where_nothing_beats_the_base_model_nothing_is_kept(tuning, qtbot):
    _, panel = tuning(LONG)
    before = recent_models()
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: bool(panel.strip.checkpoints), timeout=START_MS)
    qtbot.mouseClick(panel.stop, LEFT)  # before there is another validation
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "nothing beat the base model" in panel.status.text()
    assert recent_models() == before


def test_a_picked_checkpoint_is_shown_and_can_be_kept(tuning, qtbot):
    viewer, panel = tuning(SHORT)
    viewer.dims.set_current_step(0, 4)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    strip = panel.strip
    viewer.dims.set_current_step(0, 11)
    assert not panel.keep.isEnabled()
    strip.setCurrentRow(0)
    assert not panel.keep.isEnabled()  # the base model is there already
    row = len(strip.checkpoints) - 1
    strip.setCurrentRow(row)
    picked = strip.chosen
    assert picked.frame == 4
    preview = viewer.layers["preview"]
    np.testing.assert_array_equal(preview.data[0], picked.image)
    assert preview.visible
    assert viewer.dims.current_step[0] == 4
    if not strip.is_kept(picked):
        assert panel.keep.isEnabled()
        qtbot.mouseClick(panel.keep, LEFT)
    assert strip.is_kept(picked)
    assert not panel.keep.isEnabled()
    assert recent_models()[0].read_bytes() == picked.model
    # a preview of one frame is not shown over another
    viewer.dims.set_current_step(0, 12)
    assert not preview.visible
    viewer.layers.remove(preview)
    strip.setCurrentRow(0)
    assert "preview" in viewer.layers


def test_a_preview_follows_the_frame_and_stop_ends_well(tuning, qtbot):
    viewer, panel = tuning(LONG)
    viewer.dims.set_current_step(0, 3)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=START_MS)
    preview = viewer.layers["preview"]
    viewer.dims.set_current_step(0, 9)
    assert not preview.visible
    qtbot.waitUntil(lambda: preview.visible, timeout=30_000)
    assert preview.data_to_world((0, 0, 0))[0] == pytest.approx(0.9)
    assert "left" in panel.progress.format()
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=20_000)
    assert "preview" not in viewer.layers


@pytest.mark.parametrize("how", ["dock", "viewer"])
def test_closing_in_mid_run_is_safe_and_leaves_no_process(tuning, qtbot, how):
    viewer, panel = tuning(LONG)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: bool(panel.strip.checkpoints), timeout=START_MS)
    pid = panel.run.process.pid
    if how == "dock":
        viewer.window.remove_dock_widget(panel)
    else:
        viewer.close()
    limit = time.monotonic() + 5
    while alive(pid) and time.monotonic() < limit:
        QTest.qWait(20)
    assert not alive(pid)


def test_too_few_frames_are_told_in_one_sentence(tuning, qtbot, movie):
    viewer, panel = tuning(SHORT)
    viewer.add_image(movie[:6], name="short")
    panel.noisy.value = viewer.layers["short"]
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "at least 12 frames" in panel.status.text()
    assert "\n" not in panel.status.text()
    assert panel.strip.checkpoints == ()


def test_a_second_click_on_a_picture_lets_it_go(qtbot):
    strip = CheckpointStrip()
    qtbot.addWidget(strip)
    strip.resize(320, 150)
    strip.show()
    for number in range(2):
        strip.add(checkpoint(number, 1.0, best=False))
    place = strip.visualItemRect(strip.item(1)).center()
    for chosen in (1, None, 1):
        with qtbot.waitSignal(strip.picked):
            qtbot.mouseClick(strip.viewport(), LEFT, pos=place)
        assert (strip.chosen.number if strip.chosen else None) == chosen
    strip.clear_all()
    assert strip.chosen is None


def checkpoint(number, loss, *, best):
    return Checkpoint(
        number=number,
        seconds=6.0 * number,
        loss=loss,
        base_loss=1.0,
        best=best,
        image=np.random.default_rng(number).random((40, 50), np.float32),
        frame=2,
        seen=(0, 40, 0, 50),
        model=bytes([number]) if number else b"",
    )


def test_a_strip_lets_go_of_some_but_never_of_base_best_last_or_picked(qtbot):
    strip = CheckpointStrip()
    qtbot.addWidget(strip)
    for number in range(100):
        best = number == 7
        strip.add(checkpoint(number, 0.5 if best else 0.9, best=best))
        if number == 3:
            strip.setCurrentRow(3)
    numbers = [one.number for one in strip.checkpoints]
    assert len(numbers) == strip.count() < 30
    assert numbers == sorted(numbers)
    assert {0, 3, 7, 99} <= set(numbers)
    assert strip.chosen.number == 3
    assert strip.best.number == 7
    assert [strip.item(row).text().startswith("★") for row in range(strip.count())] == [
        number == 7 for number in numbers
    ]
    # spread over the whole time: no gap of more than a quarter
    assert max(np.diff(numbers)) < 25


def test_screenshot(tuning, qtbot, screenshot):
    viewer, panel = tuning(LONG.replaced({("seconds",): 14.0}), show=True)
    panel.reference.value = viewer.layers["truth"]
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: len(panel.strip.checkpoints) > 1, timeout=START_MS)
    assert screenshot(viewer, "fine-tune").exists()
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=20_000)
