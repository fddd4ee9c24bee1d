from __future__ import annotations

import time

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_lowdose.noise import Noise, Poisson, Readout, add_noise
from napari_lowdose.noise.stages import Quantize
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.widgets.layers import stack_from
from napari_lowdose.widgets.noise_preview import frame_of_specimen
from napari_lowdose.widgets.particles import EVENTS

LEFT = Qt.MouseButton.LeftButton


def simulate(panel, qtbot, viewer, count):
    panel.form.config = Catalyst(frames=8, size=48, seed=3)
    qtbot.mouseClick(panel.simulate, LEFT)
    qtbot.waitUntil(lambda: len(viewer.layers) == count, timeout=10_000)


def test_a_click_adds_a_noisy_movie_and_its_truth(dock, qtbot):
    viewer, panel = dock("Simulate")
    panel.noise.config = Noise(dose=2, seed=5)
    simulate(panel, qtbot, viewer, 3)
    truth, noisy, _particles = viewer.layers
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


def test_particles_lie_where_the_truth_is_bright(dock, qtbot):
    viewer, panel = dock("Simulate")
    simulate(panel, qtbot, viewer, 3)
    truth, noisy, points = viewer.layers
    scene = SPECIMENS["catalyst"].render(panel.form.config)
    assert points.units == truth.units
    assert len(points.data) == len(scene.particles)
    np.testing.assert_array_equal(points.size, 2 * scene.particles["radius"])
    assert list(points.features) == ["id", "radius", "amplitude", "visible"]
    places = [truth.world_to_data(points.data_to_world(at)) for at in points.data]
    frame, y, x = np.rint(places).astype(int).T
    inside = (y >= 0) & (y < 48) & (x >= 0) & (x < 48)
    seen = points.features["visible"].to_numpy(bool) & inside
    at_particles = truth.data[frame, y.clip(0, 47), x.clip(0, 47)][seen]
    # the darkest seen particle is brighter than the film, and most are far brighter
    assert np.median(at_particles) > 2 * np.median(truth.data)
    for layer in (truth, noisy, points):
        assert layer.metadata[EVENTS].equals(scene.events)


def test_particles_may_be_left_out(dock, qtbot):
    viewer, panel = dock("Simulate")
    panel.particles.click()
    simulate(panel, qtbot, viewer, 2)
    qtbot.waitUntil(lambda: panel.idle, timeout=2000)
    assert [layer._type_string for layer in viewer.layers] == ["image", "image"]


def test_every_specimen_can_be_simulated_and_undone(dock, qtbot):
    viewer, panel = dock("Simulate")
    for name in SPECIMENS:
        panel.specimen.value = name
        panel.form.config = panel.form.config.replaced({("frames",): 2, ("size",): 32})
        qtbot.mouseClick(panel.simulate, LEFT)
        qtbot.waitUntil(lambda: panel.idle, timeout=20_000)
        assert len(viewer.layers) >= 2, panel.status.text()
        assert viewer.layers.extent.units == viewer.layers[0].units
        viewer.layers.clear()
        assert panel.layer.layer is None


def settle(panel, qtbot):
    qtbot.waitUntil(lambda: panel.preview.settled, timeout=10_000)


@pytest.fixture
def seen(dock, qtbot):
    """Open the panel where it is seen: only then it draws previews."""
    viewer, panel = dock("Simulate", show=True)
    qtbot.waitUntil(panel.isVisible, timeout=5000)
    settle(panel, qtbot)
    return viewer, panel


def test_the_preview_is_what_would_be_simulated(seen, qtbot):
    _, panel = seen
    panel.noise.config = Noise(dose=3, stages=(Poisson(), Readout(offset=50)))
    panel.form.config = Catalyst(size=40, seed=2)
    settle(panel, qtbot)
    clean = SPECIMENS["catalyst"].render(Catalyst(size=40, seed=2, frames=1)).stack
    noisy, truth = add_noise(clean, panel.noise.config)
    np.testing.assert_array_equal(panel.preview.frames.noisy, noisy.data[0])
    np.testing.assert_array_equal(panel.preview.frames.truth, truth.data[0])
    before = panel.preview.picture.grey
    qtbot.mouseClick(panel.preview.picture, LEFT)
    assert (panel.preview.picture.grey != before).any()
    assert "expected counts: mean 53" in panel.preview.figures.text()


def test_of_a_large_frame_the_middle_is_previewed():
    settings, noise = Catalyst(size=400, frames=1), Noise(dose=5)
    frames = frame_of_specimen("catalyst", settings, noise)
    _, truth = add_noise(SPECIMENS["catalyst"].render(settings).stack, noise)
    # float32 sums of a part and of the whole
    np.testing.assert_allclose(frames.truth, truth.data[0, 40:360, 40:360], rtol=1e-4)


def test_warnings_are_told_below_the_picture(seen, qtbot):
    _, panel = seen
    panel.noise.config = Noise(dose=200, stages=(Poisson(), Quantize(bits=8)))
    settle(panel, qtbot)
    assert "clipped to 8 bits" in panel.preview.figures.text()
    panel.noise.config = Noise()
    settle(panel, qtbot)
    assert "clipped" not in panel.preview.figures.text()


def test_the_preview_follows_the_dose_while_it_is_dragged(seen, qtbot):
    _, panel = seen
    panel.noise.slider.setValue(0)
    settle(panel, qtbot)
    means, slider, start = [], panel.noise.slider, time.monotonic()
    for step in range(0, 500, 10):
        slider.setValue(step)
        qtbot.wait(15)
        mean = panel.preview.frames.truth.mean()
        if not means or means[-1] != mean:
            means.append(mean)
    # at most 15 pictures a second and one under way; some even on a busy machine
    assert 3 <= len(means) <= 2 + 15 * (time.monotonic() - start)
    settle(panel, qtbot)
    assert means == sorted(means)
    dose = panel.noise.config.dose
    assert panel.preview.frames.truth.mean() == pytest.approx(dose, rel=1e-4)


def test_settings_without_a_picture_are_told_in_one_sentence(seen, qtbot):
    viewer, panel = seen
    viewer.add_image(np.linspace(-1, 1, 300).reshape(3, 10, 10))
    panel._onto.head.click()  # the section of the layer
    settle(panel, qtbot)
    assert panel.preview.frames is None
    assert "zero or more" in panel.preview.picture._words
    assert not panel.status.text()  # nothing has been asked for
    panel._onto.head.click()
    settle(panel, qtbot)
    assert panel.preview.frames is not None


def test_the_preview_of_a_layer_follows_the_visible_frame(seen, qtbot):
    viewer, panel = seen
    movie = np.ones((3, 12, 12), "f4") * np.arange(1, 4)[:, None, None]
    movie[:, :6] *= 2
    viewer.add_image(movie)
    panel.noise.config = Noise(dose=0, stages=())
    panel._onto.head.click()
    for frame in (2, 0):
        viewer.dims.set_current_step(0, frame)
        settle(panel, qtbot)
        np.testing.assert_array_equal(panel.preview.frames.noisy, movie[frame])


def test_a_preview_that_is_switched_off_draws_nothing(seen, qtbot):
    _, panel = seen
    settle(panel, qtbot)
    panel.preview.box.click()
    before = panel.preview.frames
    panel.noise.config = Noise(dose=50)
    qtbot.wait(150)
    assert panel.preview.frames is before
    assert not panel.preview.picture.isVisible()
    panel.preview.box.click()
    settle(panel, qtbot)
    assert panel.preview.frames.truth.mean() == pytest.approx(50)


def test_a_long_simulation_can_be_stopped(dock, qtbot):
    viewer, panel = dock("Simulate")
    panel.form.config = Catalyst(frames=300, size=64)
    qtbot.mouseClick(panel.simulate, LEFT)
    assert not panel.simulate.isEnabled()
    qtbot.mouseClick(panel.stop, LEFT)
    assert panel.simulate.isEnabled()
    assert panel.status.text() == "stopped"
    qtbot.wait(300)
    assert not viewer.layers


@pytest.mark.parametrize("how", ["dock", "layer", "viewer"])
def test_closing_in_mid_simulation_is_safe(seen, qtbot, how):
    viewer, panel = seen
    clean = viewer.add_image(np.ones((40, 64, 64), "f4"), name="clean")
    clean.data[:, :10] = 3
    qtbot.mouseClick(panel.add_noise, LEFT)
    panel.noise.slider.setValue(7)  # and in mid-preview
    if how == "dock":
        viewer.window.remove_dock_widget(panel)
    elif how == "viewer":
        viewer.close()
    else:
        viewer.layers.remove(clean)
        qtbot.waitUntil(lambda: panel.idle, timeout=10_000)
        assert [layer.name for layer in viewer.layers] == ["clean truth", "clean noisy"]
    qtbot.wait(200)


def test_screenshot(dock, qtbot, screenshot):
    viewer, panel = dock("Simulate", show=True)
    panel.noise.config = Noise(stages=(Poisson(), Readout()))
    simulate(panel, qtbot, viewer, 3)
    qtbot.waitUntil(lambda: panel.preview.settled, timeout=5000)
    assert screenshot(viewer, "simulate").exists()
