from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent, QGuiApplication

from napari_lowdose.errors import UnusableStack
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.stack import Stack
from napari_lowdose.widgets import samples
from napari_lowdose.widgets.files import get_reader, read_layers, write_layer
from napari_lowdose.widgets.layers import add_stack, stack_from


@pytest.fixture
def movie_file(tmp_path, movie):
    path = tmp_path / "movie.tif"
    stack = Stack(movie, "movie", (2.0, 2.0), "nanometer", 0.1, ({"step": "record"},))
    return write_stack(stack, path, dtype=movie.dtype)


@pytest.fixture
def frame_files(tmp_path, movie):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, frame in enumerate(movie[:11]):
        tifffile.imwrite(folder / f"frame{index}.tif", frame)
    return folder


@pytest.fixture
def drop(monkeypatch):
    """Drop files on a viewer's window, as a user does."""

    def dropped(viewer, *paths, shift=False):
        keys = Qt.KeyboardModifier
        held = keys.ShiftModifier if shift else keys.NoModifier
        monkeypatch.setattr(QGuiApplication, "keyboardModifiers", lambda: held)
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        event = QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            held,
        )
        viewer.window._qt_viewer.dropEvent(event)

    return dropped


@pytest.fixture
def ours_alone(npe2pm):
    """Know no other reader, so that a drop does not ask."""
    npe2pm.register(PluginManifest.from_distribution("napari-lowdose"))


@pytest.mark.usefixtures("ours_alone")
def test_a_dropped_movie_has_axes_scale_and_units(
    make_napari_viewer, movie_file, drop, movie
):
    viewer = make_napari_viewer()
    drop(viewer, movie_file)
    (layer,) = viewer.layers
    assert layer.name == "movie"
    assert layer.source.reader_plugin == "napari-lowdose"
    assert layer.axis_labels == viewer.dims.axis_labels == ("t", "y", "x")
    np.testing.assert_allclose(layer.scale, (0.1, 2, 2))
    assert [str(unit) for unit in layer.units] == ["second", "nanometer", "nanometer"]
    np.testing.assert_array_equal(layer.data, movie)
    assert stack_from(layer).recipe[0]["step"] == "record"


@pytest.mark.usefixtures("ours_alone")
def test_frames_dropped_together_with_shift_become_one_movie_in_natural_order(
    make_napari_viewer, frame_files, drop, movie
):
    viewer = make_napari_viewer()
    drop(viewer, *sorted(frame_files.iterdir()), shift=True)
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data, movie[:11])


@pytest.mark.usefixtures("ours_alone")
def test_a_dropped_folder_becomes_one_movie(
    make_napari_viewer, frame_files, drop, movie
):
    viewer = make_napari_viewer()
    drop(viewer, frame_files)
    (layer,) = viewer.layers
    assert layer.name == "frames"
    np.testing.assert_array_equal(layer.data, movie[:11])


@pytest.mark.usefixtures("ours_alone")
def test_a_damaged_file_is_told_in_one_sentence_and_leaves_napari_alive(
    make_napari_viewer, movie_file, drop
):
    whole = movie_file.read_bytes()
    movie_file.write_bytes(whole[: len(whole) // 2])
    viewer = make_napari_viewer()
    drop(viewer, movie_file)
    told = notification_manager.records[-1]
    assert told.severity.value == "error"
    assert "cut short" in told.message
    assert "\n" not in told.message
    assert not viewer.layers
    movie_file.write_bytes(whole)
    drop(viewer, movie_file)
    assert len(viewer.layers) == 1


def test_channels_become_layers(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (4, 2, 8, 9), np.uint16)
    path = tmp_path / "two.tif"
    tifffile.imwrite(path, data, imagej=True, metadata={"axes": "TCYX"})
    layers = [Layer.create(*layer) for layer in read_layers(str(path))]
    assert [layer.name for layer in layers] == ["two 0", "two 1"]
    for channel, layer in enumerate(layers):
        np.testing.assert_array_equal(layer.data, data[:, channel])


def test_colours_become_layers_too(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (4, 8, 9, 3), np.uint8)
    path = tmp_path / "rgb.tif"
    tifffile.imwrite(path, data, photometric="rgb", metadata={"axes": "TYXS"})
    layers = [Layer.create(*layer) for layer in read_layers(str(path))]
    assert len(layers) == 3
    np.testing.assert_array_equal(layers[2].data, data[..., 2])


def test_several_z_stay_an_axis_and_are_refused_by_the_panels(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (4, 3, 8, 9), np.uint16)
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, data, imagej=True, metadata={"axes": "TZYX"})
    (layer,) = (Layer.create(*layer) for layer in read_layers(str(path)))
    assert layer.axis_labels == ("t", "z", "y", "x")
    np.testing.assert_array_equal(layer.data, data)
    with pytest.raises(UnusableStack, match="Load stack"):
        stack_from(layer)


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 3)], ids=["grey", "rgb"])
def test_images_without_time_are_shown_as_they_are(tmp_path, shape):
    data = np.random.default_rng(0).integers(0, 99, shape, np.uint8)
    path = tmp_path / "still.tif"
    tifffile.imwrite(path, data)
    (layer,) = (Layer.create(*layer) for layer in read_layers(str(path)))
    np.testing.assert_array_equal(layer.data, data)
    assert layer.rgb == (len(shape) == 3)


def test_other_files_and_folders_are_left_to_others(tmp_path):
    (tmp_path / "notes.txt").write_text("no images here")
    assert get_reader(str(tmp_path / "notes.txt")) is None
    assert get_reader(str(tmp_path)) is None
    assert get_reader([]) is None


@pytest.mark.parametrize("name", ["saved.tif", "saved.ome.tif"])
def test_a_saved_layer_reads_back_the_same(tmp_path, movie, calibrated, name):
    viewer = ViewerModel()
    like = viewer.add_image(movie, name="m", **calibrated)
    stack = stack_from(like).with_data(movie.astype("f4") / 7, "fused", {"step": "x"})
    layer = add_stack(viewer, stack, like=like)
    data, meta, _ = layer.as_layer_data_tuple()
    (written,) = write_layer(str(tmp_path / name), data, meta)
    back = read_stack(written)
    np.testing.assert_array_equal(back.read(), stack.data)
    assert back.scale == pytest.approx(stack.scale)
    assert back.units == stack.units
    assert back.recipe[-1]["step"] == "x"


def test_integers_are_saved_as_they_are(tmp_path, movie):
    (written,) = write_layer(str(tmp_path / "m.tif"), movie, {"name": "m"})
    assert read_stack(written).data.dtype == movie.dtype


def test_only_movies_are_saved(tmp_path):
    with pytest.raises(UnusableStack):
        write_layer(str(tmp_path / "still.tif"), np.zeros((4, 5)), {})
    assert not list(tmp_path.iterdir())


def test_a_saved_menu_layer_goes_through_our_writer(
    make_napari_viewer, tmp_path, movie
):
    viewer = make_napari_viewer()
    layer = viewer.add_image(movie, scale=(1, 2, 2), units=("s", "nm", "nm"))
    path = tmp_path / "m.tif"
    layer.save(str(path), plugin="napari-lowdose")
    assert read_stack(path).pixel_size == pytest.approx((2, 2))


@pytest.mark.parametrize("name", SPECIMENS)
def test_each_sample_is_a_noisy_movie_with_its_truth(name):
    made = [Layer.create(*layer) for layer in getattr(samples, f"{name}_movie")()]
    truth, noisy, *particles = made
    # the movies hold a million quanta: the mean is known to 0.001
    assert noisy.data.mean() == pytest.approx(1.0, abs=0.01)
    assert truth.units == noisy.units
    assert str(noisy.units[1]) == "nanometer"
    assert stack_from(noisy).recipe
    assert all(points.units == truth.units for points in particles)


def test_a_sample_of_no_specimen_is_refused_like_any_missing_attribute():
    with pytest.raises(AttributeError, match="unicorn_movie"):
        _ = samples.unicorn_movie
