from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.settings import get_settings
from qtpy.QtCore import Qt

from napari_lowdose.io import tiff, write_stack
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.last_folder import STACKS
from napari_lowdose.widgets.layers import stack_from

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def deep_file(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (6, 3, 20, 24), np.uint16)
    path = tmp_path / "deep.tif"
    metadata = {"axes": "TZYX", "unit": "um", "finterval": 0.5}
    tifffile.imwrite(path, data, imagej=True, resolution=(10, 10), metadata=metadata)
    return path, data


def look_at(panel, qtbot, *paths):
    panel.look_at(paths)
    qtbot.waitUntil(panel.open.isEnabled, timeout=5000)


def test_a_file_is_described_opened_and_cropped(dock, qtbot, deep_file):
    path, data = deep_file
    viewer, panel = dock("Load stack")
    assert not panel.open.isEnabled()
    look_at(panel, qtbot, path)
    text = panel.found.text()
    for part in ("T 6, Z 3, Y 20, X 24", "uint16", "pixel 0.1 µm", "0.5 s per frame"):
        assert part in text
    panel.axes.editor("z").setValue(2)
    panel.crop.editor("t_start").setValue(1)
    panel.crop.editor("x_stop").setValue(10)
    panel.axes.editor("frame_interval_s").setValue(0.25)
    qtbot.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=5000)
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data, data[1:, 2, :, :10])
    np.testing.assert_allclose(layer.scale, (0.25, 0.1, 0.1))
    assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"]
    assert viewer.dims.axis_labels == ("t", "y", "x")


def test_what_does_not_fit_is_said_in_one_sentence(dock, qtbot, deep_file):
    viewer, panel = dock("Load stack")
    look_at(panel, qtbot, deep_file[0])
    qtbot.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: "choose one with z" in panel.status.text(), timeout=5000)
    assert not viewer.layers
    assert panel.open.isEnabled()


def test_a_file_that_is_no_tiff_is_refused_and_the_next_one_opens(
    dock, qtbot, tmp_path, deep_file
):
    _, panel = dock("Load stack")
    path = tmp_path / "fake.tif"
    path.write_text("not a TIFF")
    panel.look_at([path])
    qtbot.waitUntil(lambda: "fake.tif" in panel.status.text(), timeout=5000)
    assert "\n" not in panel.status.text()
    assert not panel.open.isEnabled()
    look_at(panel, qtbot, deep_file[0])


def test_several_images_become_one_movie(dock, qtbot, tmp_path, movie):
    paths = [tmp_path / f"f{i}.tif" for i in range(11)]
    for path, frame in zip(paths, movie, strict=False):
        tifffile.imwrite(path, frame)
    viewer, panel = dock("Load stack")
    look_at(panel, qtbot, *paths)
    qtbot.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=5000)
    np.testing.assert_array_equal(viewer.layers[0].data, movie[:11])


@pytest.mark.parametrize("x_stop", [0, 10], ids=["whole", "cropped"])
def test_large_files_are_shown_without_being_read(
    dock, qtbot, tmp_path, movie, monkeypatch, x_stop
):
    monkeypatch.setattr(tiff, "LAZY_ABOVE_BYTES", 0)
    path = write_stack(Stack(movie, "m"), tmp_path / "m.tif")
    viewer, panel = dock("Load stack")
    look_at(panel, qtbot, path)
    panel.crop.editor("x_stop").setValue(x_stop)
    qtbot.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=5000)
    (layer,) = viewer.layers
    assert type(layer.data) is not np.ndarray
    viewer.dims.set_current_step(0, 5)
    stack = stack_from(layer)
    assert type(stack.data) is not np.ndarray
    np.testing.assert_array_equal(stack.read(), movie[:, :, : x_stop or None])


def test_the_last_folder_is_remembered(dock, qtbot, deep_file):
    _, panel = dock("Load stack")
    look_at(panel, qtbot, deep_file[0])
    assert STACKS.path == str(deep_file[0].parent)


def test_all_tiffs_can_be_given_to_our_reader(dock, qtbot, tmp_path, movie):
    viewer, panel = dock("Load stack")
    panel.prefer.click()
    assert get_settings().plugins.extension2reader["*.tif"] == "napari-lowdose"
    path = write_stack(Stack(movie, "m", (2, 2), "nanometer", 0.5), tmp_path / "m.tif")
    viewer.window._qt_viewer._qt_open([str(path)], stack=False)
    assert viewer.layers[0].source.reader_plugin == "napari-lowdose"


def test_screenshot(dock, qtbot, tmp_path, movie, screenshot):
    viewer, panel = dock("Load stack", show=True)
    path = write_stack(
        Stack(movie, "m", (2, 2), "nanometer", 0.5), tmp_path / "colloids.tif"
    )
    look_at(panel, qtbot, path)
    qtbot.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=5000)
    assert screenshot(viewer, "load").exists()
