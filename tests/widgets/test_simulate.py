from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_lowdose.noise import Noise
from napari_lowdose.specimens import Catalyst
from napari_lowdose.widgets.layers import stack_from

LEFT = Qt.MouseButton.LeftButton


def simulate(panel, qtbot, viewer, count):
    panel.form.config = Catalyst(frames=8, size=48, seed=3)
    qtbot.mouseClick(panel.simulate, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == count, timeout=10_000)


def test_a_click_adds_a_noisy_movie_and_its_truth(dock, qtbot):
    viewer, panel = dock("Simulate")
    panel.noise.config = Noise(dose=2, seed=5)
    simulate(panel, qtbot, viewer, 2)
    truth, noisy = viewer.layers
    assert (truth.name, noisy.name) == ("catalyst 3 truth", "catalyst 3 noisy")
    assert noisy.data.shape == (8, 48, 48)
    assert truth.data.mean() == pytest.approx(2)
    assert noisy.units == truth.units
    assert viewer.dims.axis_labels == ("t", "y", "x")
    step = stack_from(noisy).recipe[-1]
    assert (step["dose"], step["seed"]) == (2, 5)
    qtbot.waitUntil(panel.simulate.isEnabled, timeout=2000)


def test_noise_is_added_to_a_layer_where_it_lies(dock, qtbot, calibrated):
    viewer, panel = dock("Simulate")
    assert not panel.add_noise.isEnabled()
    clean = viewer.add_image(np.ones((4, 30, 30), "f4"), name="clean", **calibrated)
    clean.data[:, :10] = 3
    assert panel.add_noise.isEnabled()
    panel.noise.config = Noise(dose=9)
    qtbot.mouseClick(panel.add_noise, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=5000)
    noisy = viewer.layers["clean noisy"]
    # 3600 pixels of nine electrons: the mean is known to 0.05
    assert noisy.data.mean() == pytest.approx(9, abs=0.2)
    np.testing.assert_array_equal(noisy.scale, clean.scale)
    assert noisy.units == clean.units


def test_what_cannot_be_recorded_is_said_in_one_sentence(dock, qtbot):
    viewer, panel = dock("Simulate")
    viewer.add_image(np.linspace(-1, 1, 300).reshape(3, 10, 10))
    qtbot.mouseClick(panel.add_noise, LEFT)
    qtbot.waitUntil(lambda: "zero or more" in panel.status.text(), timeout=5000)
    assert "\n" not in panel.status.text()
    qtbot.waitUntil(panel.add_noise.isEnabled, timeout=2000)


def test_two_docks_share_nothing_by_accident(make_napari_viewer):
    viewer = make_napari_viewer()
    _, first = viewer.window.add_plugin_dock_widget("napari-lowdose", "Simulate")
    second = type(first)(viewer)
    viewer.window.add_dock_widget(second, name="again")
    first.noise.config = Noise(dose=7)
    assert second.noise.config == Noise()
    viewer.add_image(np.zeros((3, 4, 4)), name="m")
    assert first.layer.layer is second.layer.layer is viewer.layers["m"]


def test_the_choice_of_layers_follows_the_list(dock):
    viewer, panel = dock("Simulate")
    first = viewer.add_image(np.zeros((3, 4, 4)), name="a")
    viewer.add_image(np.zeros((3, 4, 4)), name="b")
    viewer.add_points(np.zeros((2, 3)))
    viewer.add_image(np.zeros((4, 4)), name="still")
    assert panel.layer.layer is first
    names = [panel.layer.itemText(i) for i in range(panel.layer.count())]
    assert names == ["a", "b"]
    first.name = "renamed"
    assert panel.layer.currentText() == "renamed"
    viewer.layers.remove(first)
    assert panel.layer.layer is viewer.layers["b"]


def test_screenshot(dock, qtbot, screenshot):
    viewer, panel = dock("Simulate", show=True)
    simulate(panel, qtbot, viewer, 2)
    assert screenshot(viewer, "simulate").exists()
