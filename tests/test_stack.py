import numpy as np
import pytest

from napari_lowdose.errors import UnusableStack
from napari_lowdose.stack import Stack


def test_scale_and_units_are_one_pixel_where_unknown():
    stack = Stack(np.eye(4)[None])
    assert stack.scale == (1.0, 1.0, 1.0)
    assert stack.units == ("pixel", "pixel", "pixel")


def test_scale_and_units_tell_what_is_known():
    stack = Stack(
        np.eye(4)[None],
        pixel_size=(0.5, 0.25),
        pixel_unit="nanometer",
        frame_interval_s=2.0,
    )
    assert stack.scale == (2.0, 0.5, 0.25)
    assert stack.units == ("second", "nanometer", "nanometer")


def test_new_values_keep_the_place_and_add_a_step():
    stack = Stack(np.eye(4)[None], name="movie", pixel_size=(2, 2), recipe=({"a": 1},))
    other = stack.with_data(np.ones((1, 4, 4)), "fused", {"step": "denoise"})
    assert other.name == "movie fused"
    assert other.pixel_size == stack.pixel_size
    assert [*other.recipe[0]] == ["a"]
    assert other.recipe[1]["step"] == "denoise"
    assert "napari-lowdose" in other.recipe[1]
    assert len(stack.recipe) == 1


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 4, 4), (0, 4, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UnusableStack, match=r"expected a \(t, y, x\) stack"):
        Stack(np.ones(shape))


@pytest.mark.parametrize(
    ("value", "said"),
    [(np.nan, "1 NaN"), (np.inf, "1 NaN or infinite"), (0.0, "every value")],
)
def test_useless_values_are_refused(value, said):
    stack = np.zeros((2, 3, 3))
    stack[0, 0, 0] = value
    with pytest.raises(UnusableStack, match=said):
        Stack(stack).read()


def test_complex_values_are_refused():
    with pytest.raises(UnusableStack, match="complex"):
        Stack(np.eye(3)[None].astype(complex)).read()
