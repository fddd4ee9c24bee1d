from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt

from napari_lowdose.compare import SCORES
from napari_lowdose.config import Comparison
from napari_lowdose.widgets.model_choice import announce_model
from napari_lowdose.widgets.score_table import ScoreTable

LEFT = Qt.MouseButton.LeftButton
START_MS = 60_000


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
        panel.form.config = Comparison(baselines=("gaussian", "bilateral"))
        if model:
            announce_model(model)
        else:
            panel.model.combo.setCurrentText("(classical methods only)")
        qtbot.mouseClick(panel.go, LEFT)
        qtbot.waitUntil(
            lambda: not panel.running and panel.go.isEnabled(), timeout=START_MS
        )
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

    table = panel.table
    methods = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert methods == ["noisy", "gaussian", "bilateral"]
    assert "psnr" in table.columns

    # a real click on the row of a method selects its layer
    rect = table.visualItemRect(table.item(2, 0))
    qtbot.mouseClick(table.viewport(), LEFT, pos=rect.center())
    assert layers.selection.active is layers["movie bilateral"]

    panel.save_to(tmp_path / "results")
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
    qtbot.waitUntil(
        lambda: not panel.running and panel.go.isEnabled(), timeout=START_MS
    )
    assert "shape" in panel.status.text()
    assert "\n" not in panel.status.text()


def test_the_best_of_each_score_is_bold(qtbot):
    table = ScoreTable(SCORES)
    qtbot.addWidget(table)
    table.add_row("a", {"mse": 2.0, "psnr": 10.0})
    table.add_row("b", {"mse": 1.0, "psnr": 9.0, "ssim": float("nan")})
    assert table.best("mse") == "b"
    assert table.best("psnr") == "a"
    assert table.best("ssim") == ""
    bold = {
        (table.item(row, 0).text(), name)
        for row in range(2)
        for column, name in enumerate(table.columns, 1)
        if table.item(row, column).font().bold()
    }
    assert bold == {("b", "mse"), ("a", "psnr")}


def test_a_model_is_compared_with_each_of_its_planes(compared, model, screenshot):
    viewer, panel = compared(show=True, model=model)
    table = panel.table
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
    assert panel.model.path == path
