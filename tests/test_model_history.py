import pytest

from napari_lowdose.model_history import (
    models_folder,
    new_model_path,
    recent_models,
    remember_model,
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_the_newest_use_comes_first_and_each_once(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.touch()
    for path in (*paths, paths[0]):
        remember_model(path)
    assert recent_models() == [paths[0], paths[2], paths[1]]


def test_deleted_models_are_forgotten(tmp_path):
    path = tmp_path / "a"
    path.touch()
    remember_model(path)
    path.unlink()
    assert recent_models() == []


def test_a_damaged_list_is_an_empty_one():
    (models_folder().parent / "recent-models.json").write_text("{]")
    assert recent_models() == []


def test_proposed_names_are_plain_and_in_the_users_folder():
    path = new_model_path("my movie: 3/4 µm")
    assert path.parent == models_folder()
    assert path.suffix == ".lowdose"
    assert not path.exists()
