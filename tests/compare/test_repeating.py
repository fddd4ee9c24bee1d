"""A method read off a recipe is the one that made the result."""

from __future__ import annotations

import pytest

from napari_lowdose.compare.fingerprint import sha256_of_file
from napari_lowdose.compare.repeating import Repetition
from napari_lowdose.config import Denoising, Fusion, Plane
from napari_lowdose.model_history import remember_model
from napari_lowdose.shipped import BASE_MODELS


@pytest.fixture(autouse=True)
def own_list(monkeypatch, tmp_path):
    """Begin without any models."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def recipe_of(results, name):
    return next(one for one in results if one.name == name).stack.recipe


def test_a_classical_method_is_compared_alone_and_tuned_anew(results):
    repeats = Repetition.of(recipe_of(results, "wiener"), "movie wiener")
    assert repeats.settings["comparison"].baselines == ("wiener",)
    assert repeats.wants("wiener")
    assert not repeats.wants("noisy")
    assert "tuned anew" in repeats.words


def test_a_model_is_applied_with_the_same_settings():
    step = {
        "step": "denoise",
        "model": "fast",
        "planes": ["xy", "xt"],
        "fusion": "mean",
        "estimate": "xt",
    }
    repeats = Repetition.of((step,), "movie xt")
    assert repeats.model == BASE_MODELS["fast"].path
    assert repeats.settings["denoising"] == Denoising(
        planes=(Plane.XY, Plane.XT), fusion=Fusion.MEAN
    )
    assert repeats.settings["each_plane"]
    assert [name for name in ("xy", "xt", "fused") if repeats.wants(name)] == ["xt"]
    fused = Repetition.of(({**step, "estimate": "fused"},), "movie fused")
    assert not fused.settings["each_plane"]
    assert fused.wants("fused")
    assert not fused.wants("disagreement")


def test_a_model_of_the_users_own_is_found_by_name_and_content(tmp_path):
    path = tmp_path / "mine.lowdose"
    path.write_bytes(b"weights")
    step = {"step": "denoise", "model": "mine", "planes": ["xy"], "fusion": "mean"}
    with pytest.raises(ValueError, match="no model 'mine' among"):
        Repetition.of((step,), "layer")
    remember_model(path)
    assert Repetition.of((step,), "layer").model == path
    exact = {**step, "model_sha256": sha256_of_file(path)}
    assert Repetition.of((exact,), "layer").model == path
    path.write_bytes(b"other weights")
    with pytest.raises(ValueError, match="no model 'mine' as it was then"):
        Repetition.of((exact,), "layer")


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ((), "does not tell how it was made"),
        (({"step": "simulate"},), "'simulate'"),
        (({"step": "take over", "file": "x.tif"},), "'take over'"),
    ],
)
def test_what_cannot_be_repeated_is_told_in_one_sentence(recipe, words):
    with pytest.raises(ValueError, match=words) as told:
        Repetition.of(recipe, "layer")
    assert "\n" not in str(told.value)
