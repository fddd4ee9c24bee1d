from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTextBrowser

from napari_lowdose.model_history import recent_models
from napari_lowdose.shipped import BASE_MODELS, DEFAULT
from napari_lowdose.widgets import model_choice
from napari_lowdose.widgets.layers import estimate_limits, stack_from
from napari_lowdose.widgets.model_card import card_of
from napari_lowdose.widgets.model_choice import ModelChoice, announce_model

LEFT = Qt.MouseButton.LeftButton
START_MS = 60_000


@pytest.fixture(autouse=True)
def new_session(monkeypatch):
    """Forget which model was chosen last."""
    monkeypatch.setattr(model_choice._NEWS, "latest", None)


def ended(panel):
    return not panel.running and panel.go.isEnabled()


def test_a_click_adds_results_where_the_movie_lies(
    dock, qtbot, movie, calibrated, model
):
    viewer, panel = dock("Denoise")
    like = viewer.add_image(movie, name="movie", translate=(1, 2, 3), **calibrated)
    announce_model(model)
    panel.each_plane.setChecked(True)
    panel.disagreement.setChecked(False)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    names = [layer.name for layer in viewer.layers]
    assert names == ["movie", "movie xy", "movie xt", "movie yt", "movie fused"]
    assert len({(*one.contrast_limits,) for one in viewer.layers[1:]}) == 1
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


def test_without_movie_there_is_nothing_to_click(dock):
    _, panel = dock("Denoise")
    assert not panel.go.isEnabled()
    assert not panel.stop.isEnabled()


def test_base_models_come_first_and_nothing_need_be_trained(dock, movie, tiny_base):
    announce_model(tiny_base)  # one of the user's own, of an earlier session
    model_choice._NEWS.latest = None
    viewer, panel = dock("Denoise")
    assert panel.model.path == BASE_MODELS[DEFAULT].path
    assert panel.model.combo.currentText() == f"{DEFAULT} (base model)"
    bases = tuple(model.path for model in BASE_MODELS.values())
    assert panel.model.combo.values[: len(bases)] == bases
    assert tiny_base in panel.model.combo.values
    viewer.add_image(movie)
    assert panel.go.isEnabled()


def test_the_next_panel_begins_with_what_was_chosen_last(qtbot):
    first = ModelChoice()
    qtbot.addWidget(first)
    row = first.combo.findText("fast (base model)")
    first.combo.setCurrentIndex(row)
    first.combo.activated.emit(row)  # as a click in the list does
    second = ModelChoice()
    qtbot.addWidget(second)
    assert second.path == BASE_MODELS["fast"].path


def test_only_base_models_can_be_fine_tuned_and_new_ones_are_not_chosen(
    qtbot, model, tiny_base
):
    choice = ModelChoice(tunable=True)
    qtbot.addWidget(choice)
    for path in (model, tiny_base):
        announce_model(path)
    assert model not in choice.combo.values
    assert tiny_base in choice.combo.values
    assert choice.path == BASE_MODELS[DEFAULT].path


def test_a_button_tells_what_a_model_is(qtbot, model, tiny_base, tmp_path):
    announce_model(tiny_base)
    choice = ModelChoice()
    qtbot.addWidget(choice)
    qtbot.mouseClick(choice.about, LEFT)
    (text,) = choice.findChildren(QTextBrowser)
    assert "tiny" in text.toPlainText()
    assert "training" in text.toPlainText()
    assert "epochs: 8" in card_of(model)
    assert "random state" not in card_of(model)
    other = tmp_path / "other.lowdose"
    other.write_text("nothing")
    assert "no model file" in card_of(other)


def test_a_base_model_adds_one_layer_and_hides_where_directions_disagree(
    dock, qtbot, movie, calibrated, tiny_base
):
    viewer, panel = dock("Denoise")
    like = viewer.add_image(movie, name="movie", **calibrated)
    announce_model(tiny_base)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    names = [layer.name for layer in viewer.layers]
    assert names == ["movie", "movie disagreement", "movie fused"]
    fused, disagreement = viewer.layers["movie fused"], viewer.layers[1]
    assert fused.visible
    assert fused.contrast_limits == [*estimate_limits(fused.data, like)]
    assert not disagreement.visible
    assert disagreement.colormap.name == "magma"
    assert disagreement.units == like.units
    assert stack_from(fused).recipe[-1]["model"] == "tiny"


def test_the_visible_frame_comes_first_and_gives_way_to_the_result(
    dock, qtbot, tiny_base
):
    viewer, panel = dock("Denoise")
    large = np.random.default_rng(0).poisson(3.0, (40, 128, 128)).astype(np.uint16)
    viewer.add_image(large, name="large", scale=(0.5, 1, 1))
    announce_model(tiny_base)
    viewer.dims.set_current_step(0, 30)
    seen = []
    viewer.layers.events.inserted.connect(lambda event: seen.append(event.value.name))
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=START_MS)
    preview = viewer.layers["preview"]
    assert preview.data.shape == (1, 128, 128)
    assert preview.data_to_world((0, 0, 0))[0] == 15.0
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert seen == ["preview", "large disagreement", "large fused"]
    assert "preview" not in viewer.layers


def test_screenshot(dock, qtbot, movie, calibrated, model, screenshot):
    viewer, panel = dock("Denoise", show=True)
    viewer.add_image(movie, name="movie", **calibrated)
    announce_model(model)
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: ended(panel), timeout=START_MS)
    assert "movie fused" in viewer.layers
    assert screenshot(viewer, "denoise").exists()
