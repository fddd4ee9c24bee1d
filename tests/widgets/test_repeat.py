"""What made one layer is done once more: to a layer, on the command line, to files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.layers import recipe_of
from napari_lowdose.widgets.repeat import copy_command

LEFT = Qt.MouseButton.LeftButton
START_MS = 120_000


@pytest.fixture
def repeat(dock, movie, calibrated, compared_by_hand):
    """Open the panel beside a result and two movies."""
    viewer, panel = dock("Repeat")
    other = np.ascontiguousarray(movie[:8, ::-1])
    viewer.add_image(other, name="other", **calibrated)
    noisy = viewer.add_image(movie[:8], name="movie", **calibrated)
    compared_by_hand(viewer, noisy, widths={"gaussian": 1.0})
    viewer.layers.selection.active = viewer.layers["movie gaussian"]
    panel.other.value = viewer.layers["other"]
    return viewer, panel


def wait_for(panel, qtbot, words):
    qtbot.waitUntil(lambda: words in panel.status.text(), timeout=START_MS)
    qtbot.waitUntil(lambda: not panel.busy, timeout=START_MS)


def test_the_method_of_a_layer_is_repeated_on_another(repeat, qtbot):
    viewer, panel = repeat
    assert panel.like.layer is viewer.layers["movie gaussian"]
    assert "gaussian, tuned anew" in panel.method.text()
    qtbot.mouseClick(panel.go, LEFT)
    wait_for(panel, qtbot, "added")
    made = viewer.layers["other gaussian"]
    assert made.units == viewer.layers["other"].units
    (step,) = recipe_of(made.metadata)
    assert (step["step"], step["method"]) == ("denoise", "gaussian")
    assert np.std(made.data) < np.std(viewer.layers["other"].data)

    # a layer that nobody made has nothing to repeat
    panel.like.value = viewer.layers["movie"]
    assert "does not tell how it was made" in panel.method.text()
    assert not panel.go.isEnabled()
    assert not panel.folder.isEnabled()


def test_a_folder_is_denoised_file_by_file_and_failures_are_told(
    repeat, qtbot, tmp_path, movie
):
    _, panel = repeat
    folder = tmp_path / "movies"
    folder.mkdir()
    write_stack(Stack(movie[:6, :32, :32]), folder / "a.tif", dtype=np.uint16)
    (folder / "b.tif").write_bytes(b"no image")
    panel.run_on(folder)
    assert panel.file.text() == "file 1 of 2: a.tif"
    wait_for(panel, qtbot, "1 of 2 files are in")
    assert "not b.tif" in panel.status.text()
    (written,) = (tmp_path / "movies-gaussian").iterdir()
    assert written.name == "a-gaussian.tif"
    assert tifffile.imread(written).shape == (6, 32, 32)
    assert read_stack(written).recipe[-1]["method"] == "gaussian"


def test_a_folder_may_be_empty_or_left_half_done(repeat, qtbot, tmp_path, movie):
    _, panel = repeat
    panel.run_on(tmp_path)
    assert "no TIFF files" in panel.status.text()
    assert panel.go.isEnabled()
    folder = tmp_path / "movies"
    folder.mkdir()
    (folder / "a.tif").write_bytes(b"no image")
    write_stack(Stack(movie[:6, :32, :32]), folder / "b.tif")
    panel.run_on(folder)
    qtbot.mouseClick(panel.stop, LEFT)
    wait_for(panel, qtbot, "stopped after 0 of 2 files")
    assert not [*(tmp_path / "movies-gaussian").iterdir()]
    assert panel.go.isEnabled()


def test_the_command_is_copied_from_panel_and_menu(repeat, qtbot):
    viewer, panel = repeat
    command = "lowdose compare movie.tif --model=none --baselines=gaussian -o results"
    qtbot.mouseClick(panel.command, LEFT)
    assert QGuiApplication.clipboard().text() == command
    assert command in panel.status.text()
    QGuiApplication.clipboard().clear()
    copy_command(viewer)
    assert QGuiApplication.clipboard().text() == command
    QGuiApplication.clipboard().clear()
    viewer.layers.selection.active = viewer.layers["movie"]
    copy_command(viewer)
    told = notification_manager.records[-1].message
    assert "'movie' does not tell how it was made" in told
    assert not QGuiApplication.clipboard().text()
