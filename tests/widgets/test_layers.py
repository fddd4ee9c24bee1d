from __future__ import annotations

import warnings

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from npe2 import PluginManifest

from napari_lowdose.errors import UnusableStack
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.layers import (
    add_estimate,
    add_frame,
    add_stack,
    contrast_limits,
    estimate_limits,
    place_of,
    stack_from,
    visible_frame,
)


@pytest.fixture
def viewer():
    return ViewerModel()


def test_a_calibrated_layer_becomes_a_calibrated_stack(viewer, movie, calibrated):
    stack = stack_from(viewer.add_image(movie, name="m", **calibrated))
    assert stack.pixel_size == (2.0, 2.0)
    assert stack.pixel_unit == "nanometer"
    assert stack.frame_interval_s == pytest.approx(0.1)
    assert stack.units == calibrated["units"]


def test_units_are_converted_to_seconds_and_to_one_unit_of_length(viewer, movie):
    units = ("millisecond", "micrometer", "nanometer")
    layer = viewer.add_image(movie, scale=(20, 0.5, 500), units=units)
    stack = stack_from(layer)
    assert stack.frame_interval_s == pytest.approx(0.02)
    assert stack.pixel_size == pytest.approx((0.5, 0.5))
    assert stack.pixel_unit == "micrometer"


def test_a_layer_without_calibration_stays_without(viewer, movie):
    stack = stack_from(viewer.add_image(movie))
    assert stack.pixel_size is None
    assert stack.frame_interval_s is None
    assert stack.units == ("pixel", "pixel", "pixel")


def test_integer_files_that_became_labels_are_read(viewer, movie):
    stack = stack_from(viewer.add_labels(movie.astype(np.int32)))
    np.testing.assert_array_equal(stack.read(), movie)


@pytest.mark.parametrize(
    "add",
    [
        lambda viewer: viewer.add_image(np.zeros((5, 5))),
        lambda viewer: viewer.add_image(np.zeros((2, 3, 5, 5))),
        lambda viewer: viewer.add_image(np.zeros((3, 5, 5, 3)), rgb=True),
        lambda viewer: viewer.add_points(np.zeros((2, 3))),
    ],
    ids=["2-D", "4-D", "rgb", "points"],
)
def test_other_layers_are_refused_in_one_sentence(viewer, add):
    with pytest.raises(UnusableStack, match=r"^expected a \(t, y, x\)") as refusal:
        stack_from(add(viewer))
    assert "\n" not in str(refusal.value)


def test_layers_of_naparis_own_reader_are_read(viewer, tmp_path, npe2pm):
    npe2pm.register(PluginManifest.from_distribution("napari"))
    counts = np.random.default_rng(0).integers(0, 9, (5, 6, 7), np.int32)
    for dtype in ("uint16", "int32"):  # the latter becomes labels there
        path = tmp_path / f"{dtype}.tif"
        tifffile.imwrite(path, counts.astype(dtype))
        (layer,) = viewer.open(str(path), plugin="napari")
        np.testing.assert_array_equal(stack_from(layer).read(), counts)


def test_a_result_lies_where_its_input_lies(viewer, movie, calibrated):
    like = viewer.add_image(movie, name="m", translate=(1, 2, 3), **calibrated)
    like.contrast_limits = (0, 7)
    stack = stack_from(like).with_data(movie.astype("f4"), "fused", {"step": "test"})
    result = add_stack(viewer, stack, like=like)
    assert result.name == "m fused"
    np.testing.assert_array_equal(result.scale, like.scale)
    np.testing.assert_array_equal(result.translate, like.translate)
    assert result.units == like.units
    assert result.axis_labels == like.axis_labels
    assert result.contrast_limits == like.contrast_limits
    assert stack_from(result).recipe == stack.recipe


def test_a_moved_and_turned_layer_keeps_its_results(viewer, movie, calibrated):
    like = viewer.add_image(movie, **calibrated)
    like.affine = [[1, 0, 0, 0], [0, 0.8, -0.6, 5], [0, 0.6, 0.8, 1], [0, 0, 0, 1]]
    result = add_stack(viewer, stack_from(like), like=like)
    corner = (3, 40, 7)
    np.testing.assert_allclose(result.data_to_world(corner), like.data_to_world(corner))


def test_reading_back_an_added_stack_changes_nothing(viewer, movie):
    stack = Stack(movie, "m", (0.1, 0.2), "nanometer", 0.5, ({"step": "a"},))
    back = stack_from(add_stack(viewer, stack))
    assert back.scale == pytest.approx(stack.scale)
    assert back.units == stack.units
    assert back.recipe == stack.recipe


def test_results_do_not_switch_units_off(viewer, movie, calibrated):
    like = viewer.add_image(movie, **calibrated)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        add_stack(viewer, stack_from(like), like=like)
        add_frame(viewer, movie[3].astype("f4"), index=3, like=like, name="preview")
    assert viewer.layers.extent.units == like.units


def test_a_frame_is_shown_at_its_time(viewer, movie, calibrated):
    like = viewer.add_image(movie, translate=(0.3, 0, 0), **calibrated)
    frame = add_frame(viewer, movie[5].astype("f4"), index=5, like=like, name="p")
    np.testing.assert_allclose(
        frame.data_to_world((0, 4, 4)), like.data_to_world((5, 4, 4))
    )
    assert place_of(frame)["units"] == like.units
    viewer.dims.set_current_step(0, 5)
    assert visible_frame(viewer, like) == 5


def test_contrast_comes_from_several_frames():
    stack = np.zeros((20, 8, 8))
    stack[10:] = np.linspace(0, 10, 64).reshape(8, 8)
    low, high = contrast_limits(stack)
    assert low == 0
    assert high == pytest.approx(10, rel=0.05)  # the 99.8th of few values


def test_contrast_of_an_estimate_shows_faint_structures_but_no_remains_of_noise(viewer):
    rng = np.random.default_rng(0)
    noisy = viewer.add_image(rng.normal(100, 10, (20, 32, 32)), name="noisy")
    noisy.contrast_limits = contrast_limits(noisy.data)
    faint = np.tile(np.linspace(90, 110, 32), (20, 32, 1))
    low, high = estimate_limits(faint, noisy)
    assert (low, high) == pytest.approx((90, 110), abs=1)
    assert [low, high] == add_estimate(viewer, Stack(faint, "f"), noisy).contrast_limits
    low, high = estimate_limits(100 + rng.normal(0, 0.1, (20, 32, 32)), noisy)
    # about the deviation of the noise; its percentiles are of 8 frames, to some percent
    assert high - low == pytest.approx(10, rel=0.1)
    assert (low + high) / 2 == pytest.approx(100, abs=0.1)


def test_contrast_of_a_flat_stack_is_not_empty():
    low, high = contrast_limits(np.full((3, 4, 4), 5))
    assert low < high
