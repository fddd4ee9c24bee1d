from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_lowdose.noise import Noise, PhotonTransfer, Poisson, Readout, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.widgets.correlation_map import CorrelationMap
from napari_lowdose.widgets.layers import add_stack
from napari_lowdose.widgets.measured_noise import keep_reading, reading_of
from napari_lowdose.widgets.transfer_plot import TransferPlot

LEFT = Qt.MouseButton.LeftButton
DETECTOR = Noise(dose=8, stages=(Poisson(), Readout(gain=3, offset=100, readout_std=4)))


@pytest.fixture(scope="module")
def recorded():
    """Simulate a movie of a Poisson-Gaussian detector."""
    clean = SPECIMENS["catalyst"].render(Catalyst(frames=24, size=64)).stack
    return add_noise(clean, DETECTOR)[0]


def measure(panel, qtbot):
    qtbot.mouseClick(panel.measure, LEFT)
    assert not panel.measure.isEnabled()
    qtbot.waitUntil(lambda: panel.idle, timeout=20_000)


@pytest.fixture
def measured(dock, qtbot, recorded):
    """Open the panel on a movie and measure it."""

    def opened(*, show=False):
        viewer, panel = dock("Measure noise", show=show)
        layer = add_stack(viewer, recorded)
        measure(panel, qtbot)
        return viewer, panel, layer

    return opened


def test_a_click_says_what_the_data_are(measured):
    _, panel, layer = measured()
    reading = reading_of(layer)
    gain = reading.measurement.gain
    # the detector's gain is in the interval that the panel shows
    assert gain.low <= 3 <= gain.high
    assert panel.figures.table.item(0, 0).text() == f"{gain.value:.3g}"
    for sentence in reading.sentences:
        assert sentence in panel.report.sentences.text()
    for name in reading.advice:
        assert name.replace("_", " ") in panel.report.advice.text()
    assert panel.figures.transfer.transfer is reading.measurement.transfer
    assert "measured" in panel.status.text()


def test_the_panel_follows_the_chosen_layer(measured):
    viewer, panel, layer = measured()
    other = viewer.add_image(np.zeros((4, 32, 32)), name="other")
    panel.layer.value = other
    assert panel.figures.table.item(0, 0) is None
    assert panel.figures.transfer.transfer is None
    assert "Nothing measured" in panel.report.sentences.text()
    assert not panel.copy.isEnabled()
    panel.layer.value = layer
    assert panel.figures.transfer.transfer is not None
    assert panel.copy.isEnabled()


def test_a_transfer_curve_of_any_size_is_drawn(qtbot):
    plot = TransferPlot()
    qtbot.addWidget(plot)
    plot.resize(300, 170)
    plot.show()
    seen = [plot.grab().toImage()]
    for scale in (1e-6, 1.0, 1e9):
        mean = scale * np.array([1.0, 2.0, 4.0])
        curve = PhotonTransfer(mean, mean * scale, mean * scale / 9, scale, -scale)
        plot.show_transfer(curve)
        seen.append(plot.grab().toImage())
        assert seen[-1] != seen[-2]
    one = np.ones(1)
    plot.show_transfer(PhotonTransfer(one, one, one, 1.0, 0.0))  # no line to draw
    assert plot.grab().toImage() == seen[0]


def test_a_reading_is_forgotten_with_its_data(measured, recorded):
    viewer, panel, layer = measured()
    again = recorded.read().copy()
    layer.data = again
    assert reading_of(layer) is None
    viewer.layers.remove(layer)
    assert panel.layer.layer is None
    assert not panel.measure.isEnabled()


def test_docks_share_what_was_measured(measured):
    viewer, panel, layer = measured()
    second = type(panel)(viewer)
    viewer.window.add_dock_widget(second, name="again")
    assert second.report.sentences.text() == panel.report.sentences.text()
    keep_reading(layer, reading_of(layer))


def test_a_known_offset_and_calibration_frames_are_used(dock, qtbot, recorded):
    viewer, panel = dock("Measure noise")
    rng = np.random.default_rng(0)

    def lit(electrons, name):
        counts = 3.0 * rng.poisson(electrons, (8, 64, 64)) + 100
        return viewer.add_image(counts + rng.normal(0, 4, counts.shape), name=name)

    dark = lit(0, "dark")
    flats = [lit(5, "dim"), lit(20, "bright")]
    layer = add_stack(viewer, recorded)
    panel.layer.value, panel.dark.value = layer, dark
    for flat in flats:
        panel.flats.box(flat).click()
    assert panel.flats.layers == tuple(flats)
    measure(panel, qtbot)
    measurement = reading_of(layer).measurement
    assert measurement.offset.source == "calibrated"
    assert measurement.gain.source == "calibrated"
    # 32768 pixels of two brightnesses: the slope is known to about one percent
    assert measurement.gain.value == pytest.approx(3, rel=0.05)
    panel.dark.value = None
    panel.offset_known.click()
    panel.offset.setValue(100)
    measure(panel, qtbot)
    assert reading_of(layer).measurement.offset.source == "given"


def test_checks_are_kept_when_layers_come_and_go(dock):
    viewer, panel = dock("Measure noise")
    first = viewer.add_image(np.zeros((3, 4, 4)), name="first")
    panel.flats.box(first).click()
    other = viewer.add_image(np.zeros((3, 4, 4)), name="other")
    assert panel.flats.layers == (first,)
    viewer.layers.remove(other)
    first.name = "renamed"
    assert panel.flats.box(first).text() == "renamed"
    viewer.layers.remove(first)
    assert panel.flats.layers == ()


def test_what_cannot_be_measured_is_said_in_one_sentence(dock, qtbot):
    viewer, panel = dock("Measure noise")
    viewer.add_image(np.full((4, 32, 32), 7), name="flat")
    measure(panel, qtbot)
    assert panel.status.text().startswith("expected")
    assert "\n" not in panel.status.text()


def test_the_recipe_is_copied_to_the_panel_that_simulates(measured, qtbot):
    viewer, panel, layer = measured()
    _, simulate = viewer.window.add_plugin_dock_widget("napari-lowdose", "Simulate")
    simulate.noise.form.editor("seed").setValue(4)
    panel.copy.click()
    measurement = reading_of(layer).measurement
    config = simulate.noise.config
    # a recipe has four digits
    assert config.stages[1].gain == pytest.approx(measurement.gain.value, rel=1e-3)
    assert config.dose == pytest.approx(measurement.dose.value, rel=1e-3)
    assert config.seed == 4


def test_the_panel_that_simulates_is_opened_where_there_is_none(measured):
    viewer, panel, _ = measured()
    panel.copy.click()
    opened = [w for n, w in viewer.window.dock_widgets.items() if "Simulate" in n]
    assert len(opened) == 1
    assert isinstance(opened[0].noise.config.stages[1], Readout)


@pytest.mark.parametrize("how", ["dock", "layer", "viewer", "stop"])
def test_ending_in_mid_measurement_is_safe(dock, qtbot, recorded, how):
    viewer, panel = dock("Measure noise")
    layer = add_stack(viewer, recorded)
    qtbot.mouseClick(panel.measure, LEFT)
    if how == "dock":
        viewer.window.remove_dock_widget(panel)
    elif how == "viewer":
        viewer.close()
    elif how == "stop":
        qtbot.mouseClick(panel.stop, LEFT)
        assert panel.status.text() == "stopped"
        assert panel.measure.isEnabled()
    else:
        viewer.layers.remove(layer)
        qtbot.waitUntil(lambda: panel.idle, timeout=20_000)
    qtbot.wait(200)
    assert (reading_of(layer) is None) == (how != "layer")


def test_a_cell_of_the_map_tells_its_number(qtbot):
    shown = CorrelationMap()
    qtbot.addWidget(shown)
    correlation = np.zeros((5, 5))
    correlation[2, 2], correlation[1, 3] = 1, -0.125
    shown.resize(300, 152)
    shown.show()
    empty = shown.grab().toImage()
    shown.show_correlation(correlation)
    assert shown.grab().toImage() != empty
    place = QPoint(75 + 3 * 30 + 15, 30 + 15)
    event = QHelpEvent(QEvent.Type.ToolTip, place, shown.mapToGlobal(place))
    QApplication.sendEvent(shown, event)
    assert QToolTip.text() == "-1 rows, +1 columns: correlation -0.125"


@pytest.fixture
def looked_at(dock, qtbot, recorded):
    """Open the Train panel where it is seen: only then it measures by itself."""
    viewer, panel = dock("Train", show=True)
    layer = add_stack(viewer, recorded)
    qtbot.waitUntil(lambda: reading_of(layer) is not None, timeout=20_000)
    return viewer, panel, layer


def test_the_train_panel_tells_what_the_data_are(looked_at, qtbot):
    viewer, panel, layer = looked_at
    reading = reading_of(layer)
    assert reading.sentences[0] in panel.advice.report.sentences.text()
    panel.advice.take.click()
    assert panel.form.config.gain == pytest.approx(reading.measurement.gain.value)
    assert panel.form.config.offset == pytest.approx(reading.measurement.offset.value)
    flat = viewer.add_image(np.full((4, 32, 32), 7), name="flat")
    panel.noisy.value = flat
    words = panel.advice.report.sentences
    qtbot.waitUntil(lambda: words.text().startswith("expected"), timeout=10_000)
    assert not panel.advice.take.isEnabled()
    assert not panel.status.text().startswith("expected")  # nobody has asked
    panel.noisy.value = layer
    assert reading.sentences[0] in words.text()  # at once: it was kept


@pytest.mark.parametrize("how", ["dock", "layer", "other", "viewer"])
def test_leaving_while_the_train_panel_measures_is_safe(dock, qtbot, recorded, how):
    viewer, panel = dock("Train", show=True)
    qtbot.waitUntil(panel.isVisible, timeout=5000)
    layer = add_stack(viewer, recorded)
    assert panel.advice.report.sentences.text() == "measuring …"
    if how == "dock":
        viewer.window.remove_dock_widget(panel)
    elif how == "viewer":
        viewer.close()
    elif how == "layer":
        viewer.layers.remove(layer)
        assert "No layer" in panel.advice.report.sentences.text()
    else:
        other = viewer.add_image(recorded.read().copy(), name="other")
        panel.noisy.value = other
        qtbot.waitUntil(lambda: reading_of(other) is not None, timeout=20_000)
        assert reading_of(layer) is None
    qtbot.wait(200)


def test_screenshot(measured, screenshot):
    viewer, _panel, _layer = measured(show=True)
    assert screenshot(viewer, "measure").exists()
