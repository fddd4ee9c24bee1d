import numpy as np
import pytest

from napari_lowdose.planes import (
    Plane,
    dropped_sentence,
    slices,
    unslice,
    usable_planes,
)


@pytest.mark.parametrize("plane", Plane)
def test_unslice_undoes_slices(plane):
    stack = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    np.testing.assert_array_equal(unslice(slices(stack, plane), plane), stack)


@pytest.mark.parametrize(
    ("plane", "shape"),
    [(Plane.XY, (2, 3, 4)), (Plane.XT, (3, 2, 4)), (Plane.YT, (4, 2, 3))],
)
def test_slices_are_views_that_show_the_named_axes(plane, shape):
    stack = np.zeros((2, 3, 4))
    images = slices(stack, plane)
    assert images.shape == shape
    assert np.shares_memory(images, stack)


def test_short_stacks_have_frames_only():
    assert usable_planes(tuple(Plane), n_frames=7, depth=3) == (Plane.XY,)
    assert usable_planes(tuple(Plane), n_frames=8, depth=3) == tuple(Plane)


def test_what_is_left_out_is_said():
    assert dropped_sentence(Plane, Plane) == ""
    assert "xt, yt left out, xy used" in dropped_sentence(Plane, ["xy"])
