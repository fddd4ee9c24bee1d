from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

from napari_lowdose.model_history import recent_models
from napari_lowdose.widgets.layers import stack_from
from napari_lowdose.widgets.model_choice import announce_model

LEFT = Qt.MouseButton.LeftButton
START_MS = 60_000


def ended(panel):
    return not panel.running and panel.go.isEnabled()


def test_a_click_adds_results_where_the_movie_lies(
    dock, qtbot, movie, calibrated, model
):
    viewer, panel = dock("Denoise")
    like = viewer.add_image(movie, name="movie", translate=(1, 2, 3), **calibrated)
    announce_model(model)
    panel.each_plane.setChecked(True)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    names = [layer.name for layer in viewer.layers]
    assert names == ["movie", "movie xy", "movie xt", "movie yt", "movie fused"]
    for layer in list(viewer.layers)[1:]:
        assert layer.data.shape == movie.shape
        assert layer.data.dtype == np.float32
        np.testing.assert_array_equal(layer.scale, like.scale)
        np.testing.assert_array_equal(layer.translate, like.translate)
        assert layer.units == like.units
        assert layer.axis_labels == like.axis_labels
        assert stack_from(layer).recipe[-1]["step"] == "denoise"
    # the mean of three planes is as bright as the movie: networks keep the level
    np.testing.assert_allclose(
        viewer.layers["movie fused"].data,
        np.mean([viewer.layers[f"movie {p}"].data for p in ("xy", "xt", "yt")], 0),
        rtol=1e-5,
    )


def test_a_model_that_was_just_made_is_offered(dock, model, tmp_path, movie):
    viewer, panel = dock("Denoise")
    viewer.add_image(movie)
    other = tmp_path / "new.lowdose"
    other.write_bytes(model.read_bytes())
    announce_model(other)
    assert panel.model.path == other
    assert recent_models()[0] == other
    assert panel.go.isEnabled()


def test_a_damaged_model_is_told_in_one_sentence(dock, qtbot, movie, tmp_path):
    viewer, panel = dock("Denoise")
    viewer.add_image(movie, name="movie")
    damaged = tmp_path / "damaged.lowdose"
    damaged.write_bytes(b"not a model")
    announce_model(damaged)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "damaged.lowdose" in panel.status.text()
    assert "\n" not in panel.status.text()
    assert len(viewer.layers) == 1


def test_without_movie_or_model_there_is_nothing_to_click(dock):
    _, panel = dock("Denoise")
    assert not panel.go.isEnabled()
    assert not panel.stop.isEnabled()


def test_screenshot(dock, qtbot, movie, calibrated, model, screenshot):
    viewer, panel = dock("Denoise", show=True)
    viewer.add_image(movie, name="movie", **calibrated)
    announce_model(model)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "movie fused" in viewer.layers
    assert screenshot(viewer, "denoise").exists()
