from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from napari_lowdose.compare import SCORES, Result
from napari_lowdose.config import Comparison
from napari_lowdose.widgets.method_choice import MethodChoice
from napari_lowdose.widgets.method_order import Order
from napari_lowdose.widgets.method_row import STATE
from napari_lowdose.widgets.model_choice import announce_model
from napari_lowdose.widgets.score_table import ScoreTable

LEFT = Qt.MouseButton.LeftButton
YES = QMessageBox.StandardButton.Yes
THREE = ("gaussian", "bilateral", "wiener")
START_MS = 120_000


def choose(panel, *sources):
    """Check some of the list."""
    offers = panel.methods.list.offers
    panel.methods.list.choose([one for one in offers if one.source in sources])


def row_of(panel, name):
    """Find a row by what the list calls it."""
    methods = panel.methods.list
    (offer,) = (one for one in methods.offers if one.name == name)
    return methods.row_of(offer)


def wait_for_end(panel, qtbot):
    def ended():
        assert not panel.running, panel.status.text()
        assert panel.go.isEnabled(), panel.status.text()

    qtbot.waitUntil(ended, timeout=START_MS)


@pytest.fixture
def compared(dock, qtbot, movie, truth, calibrated):
    """Run a comparison of two methods on a movie with truth."""

    def done(*, show=False, model=None):
        viewer, panel = dock("Compare", show=show)
        viewer.add_image(truth, name="truth", **calibrated)
        viewer.add_image(movie, name="movie", **calibrated)
        viewer.add_image(np.zeros((3, 4, 4)), name="other", **calibrated)
        panel.noisy.value = viewer.layers["movie"]
        panel.truth.value = viewer.layers["truth"]
        if model:
            announce_model(model)
        models = [str(model)] if model else []
        choose(panel, "gaussian", "bilateral", *models)
        qtbot.mouseClick(panel.go, LEFT)
        wait_for_end(panel, qtbot)
        return viewer, panel

    return done


def test_methods_stand_side_by_side_with_one_contrast_and_a_table(
    compared, qtbot, tmp_path
):
    viewer, panel = compared()
    layers = viewer.layers
    assert [layer.name for layer in layers] == [
        "truth",
        "movie",
        "other",
        "movie gaussian",
        "movie bilateral",
    ]
    result = layers["movie gaussian"]
    assert result.units == layers["movie"].units
    np.testing.assert_array_equal(result.scale, layers["movie"].scale)
    assert viewer.canvas.grid.enabled
    assert not layers["other"].visible
    result.contrast_limits = (0, 3)
    for name in ("truth", "movie", "movie bilateral"):
        assert layers[name].contrast_limits == [0, 3]

    table = panel.board.table
    methods = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert methods == ["noisy", "gaussian", "bilateral"]
    assert "psnr" in table.columns

    # a real click on the row of a method selects its layer
    rect = table.visualItemRect(table.item(2, 0))
    qtbot.mouseClick(table.viewport(), LEFT, pos=rect.center())
    assert layers.selection.active is layers["movie bilateral"]

    panel.shelf.save_to(tmp_path / "results")
    qtbot.waitUntil(lambda: "saved" in panel.status.text(), timeout=20_000)
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert written == {
        "noisy.tif",
        "gaussian.tif",
        "bilateral.tif",
        "truth.tif",
        "table.csv",
        "side-by-side.png",
        "report.html",
    }
    saved = tifffile.imread(tmp_path / "results" / "gaussian.tif")
    np.testing.assert_array_equal(saved, result.data)

    # a linked layer can go without the others losing their link
    layers.remove("movie gaussian")
    layers["movie"].contrast_limits = (0, 2)
    assert layers["movie bilateral"].contrast_limits == [0, 2]


def test_a_truth_of_another_shape_is_told_in_one_sentence(dock, qtbot, movie):
    viewer, panel = dock("Compare")
    viewer.add_image(movie[:3], name="short")
    viewer.add_image(movie, name="movie")
    panel.noisy.value = viewer.layers["movie"]
    panel.truth.value = viewer.layers["short"]
    qtbot.mouseClick(panel.go, LEFT)
    assert "shape" in panel.status.text()
    assert "\n" not in panel.status.text()
    assert panel.run is None  # no engine was started for it
    # the same layer as a result to compare is greyed out before
    panel.truth.value = None
    row = row_of(panel, "short")
    assert row.isDisabled()
    assert row.text(STATE) == "other shape"
    assert "(3, 48, 48)" in row.toolTip(STATE)


def test_the_best_of_each_score_is_bold(qtbot):
    table = ScoreTable(SCORES)
    qtbot.addWidget(table)
    scores = {
        "a": {"mse": 2.0, "psnr": 10.0},
        "b": {"mse": 1.0, "psnr": 9.0, "ssim": float("nan")},
    }
    table.show_results(
        [Result(name, None, s, np.nan, {}) for name, s in scores.items()]
    )
    bold = {
        (table.item(row, 0).text(), name)
        for row in range(2)
        for column, name in enumerate(table.columns, 1)
        if table.item(row, column).font().bold()
    }
    assert bold == {("b", "mse"), ("a", "psnr")}


def test_a_model_is_compared_with_each_of_its_planes(compared, model, screenshot):
    viewer, panel = compared(show=True, model=model)
    table = panel.board.table
    methods = [table.item(row, 0).text() for row in range(table.rowCount())]
    planes = [f"three planes {plane}" for plane in ("xy", "xt", "yt")]
    assert methods == ["noisy", "gaussian", "bilateral", *planes, "three planes"]
    assert all(f"movie {method}" in viewer.layers for method in methods[1:])
    assert screenshot(viewer, "compare").exists()


def test_the_newest_model_is_chosen_when_the_panel_opens(dock, tmp_path):
    path = tmp_path / "newest.lowdose"
    path.touch()
    announce_model(path)
    _, panel = dock("Compare")
    (offer,) = (one for one in panel.methods.chosen if one.name == "newest")
    assert offer.source == str(path)


def test_the_others_go_on_when_one_fails_and_two_are_cancelled(
    dock, qtbot, movie, truth, tmp_path
):
    viewer, panel = dock("Compare")
    for name, data in (("mine", truth), ("truth", truth), ("movie", movie)):
        viewer.add_image(data, name=name)
    panel.noisy.value = viewer.layers["movie"]
    panel.truth.value = viewer.layers["truth"]
    broken = tmp_path / "broken.lowdose"
    broken.write_bytes(b"no weights")
    announce_model(broken)
    assert row_of(panel, "broken").checked
    methods = panel.methods.list
    slow, long = "nonlocal means 3d", "pgure svt"
    names = ("gaussian", slow, long, "broken", "mine")
    panel.form.config = Comparison(cache=False)
    methods.choose([row_of(panel, name).offer for name in names])
    qtbot.mouseClick(panel.go, LEFT)

    # one is cancelled before the engine is there, one while it is at work
    assert {row_of(panel, name).text(STATE) for name in names} == {"waiting"}
    qtbot.mouseClick(row_of(panel, long).cancel_button, LEFT)
    qtbot.waitUntil(
        lambda: row_of(panel, slow).text(STATE).startswith("running"), timeout=START_MS
    )
    first = panel.run
    viewer.layers.remove("movie gaussian")  # harms nothing
    qtbot.mouseClick(row_of(panel, slow).cancel_button, LEFT)
    # the law is a second; another process may take our core for a while
    qtbot.waitUntil(lambda: not first.running, timeout=3000)
    assert panel.running
    wait_for_end(panel, qtbot)

    states = {name: row_of(panel, name).text(STATE) for name in names}
    assert states[slow] == states[long] == "cancelled"
    assert states["gaussian"].startswith("done in")
    assert states["broken"] == "failed"
    assert states["mine"] == "done"
    assert panel.status.text().startswith("2 compared, 1 failed, 2 cancelled")
    results = {result.name: result for result in panel.compared.results}
    assert [*results] == ["noisy", "gaussian", "broken", "mine"]
    assert results["broken"].stack is None
    assert "not a model" in results["broken"].error
    assert row_of(panel, "broken").toolTip(STATE) == results["broken"].error
    assert results["mine"].scores["mse"] == 0
    assert results["gaussian"].memory_mb >= 0
    assert "truth" in results["gaussian"].criterion
    # a layer that was there already is shown as it is
    assert {*panel.compared.layers} == {"noisy", "truth", "mine"}
    assert panel.compared.layers["mine"] is viewer.layers["mine"]


def test_a_run_ends_when_its_noisy_layer_is_deleted(dock, qtbot, movie):
    viewer, panel = dock("Compare")
    viewer.add_image(movie, name="other movie")
    viewer.add_image(movie, name="movie")
    panel.noisy.value = viewer.layers["movie"]
    choose(panel, "gaussian", "nonlocal_means_3d")
    qtbot.mouseClick(panel.go, LEFT)
    viewer.layers.remove("movie")
    wait_for_end(panel, qtbot)
    assert "the noisy layer was deleted" in panel.status.text()
    assert [layer.name for layer in viewer.layers] == ["other movie"]
    assert panel.noisy.layer is viewer.layers["other movie"]
    assert row_of(panel, "gaussian").text(STATE) == ""
    assert panel.go.isEnabled()


@pytest.fixture
def order(qtbot, movie):
    """A comparison of three methods in a viewer without a window."""
    viewer = ViewerModel()
    layer = viewer.add_image(movie, name="movie")
    methods = MethodChoice(viewer)
    qtbot.addWidget(methods)
    methods.follow(layer, None)
    methods.list.choose([o for o in methods.list.offers if o.source in THREE])
    placed = Order.placed(viewer, layer, None, methods, Comparison())
    methods.list.begin(placed.offers)
    return placed, methods


def test_the_others_go_on_when_the_engine_breaks_down_in_one(order):
    placed, methods = order[0], order[1].list
    placed.follow({"name": "gaussian", "state": "done"}, methods)
    placed.follow({"name": "bilateral", "state": "running"}, methods)
    assert placed.ended(methods, "the memory was full", stopped=False)
    states = [methods.standing_of(name).state for name in THREE]
    assert states == ["done", "failed", "waiting"]
    (failed,) = placed.compared.results
    assert (failed.name, failed.error) == ("bilateral", "the memory was full")
    # one that breaks down before it works on anything would do so for ever
    assert not placed.ended(methods, "no torch", stopped=False)
    assert methods.standing_of("wiener").reason == "no torch"


def test_a_deleted_comparison_is_stopped_and_let_go(dock, qtbot, movie, monkeypatch):
    viewer, panel = dock("Compare")
    viewer.add_image(movie, name="movie")
    choose(panel, "gaussian")
    qtbot.mouseClick(panel.go, LEFT)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: YES)
    qtbot.mouseClick(panel.shelf.delete, LEFT)
    wait_for_end(panel, qtbot)
    assert panel.order is None
    assert not panel.shelf.kept
    assert [layer.name for layer in viewer.layers] == ["movie"]
    assert row_of(panel, "gaussian").text(STATE) == ""
