"""What the viewer draws of a comparison: pairs, profiles and slices through time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lowdose.compare.kymograph import kymographs
from napari_lowdose.compare.pair import Curtain, Difference
from napari_lowdose.compare.profile import Line, profile

SHAPE = (4, 6, 8)
KEYS = (
    np.s_[:],
    np.s_[2],
    np.s_[..., 3],
    np.s_[1, :, ::2],
    np.s_[:, 2, 5],
    np.s_[-1, 1:4],
    np.s_[0, ..., 2:7],
)


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.poisson(5, SHAPE).astype(np.uint16), rng.normal(5, 1, SHAPE)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("edge", [0, 3, 8])
def test_a_curtain_is_read_as_the_array_that_it_stands_for(pair, key, edge):
    first, second = pair
    whole = np.concatenate([first[..., :edge], second[..., edge:]], -1)
    curtain = Curtain(first, second, edge)
    np.testing.assert_array_equal(curtain[key], whole.astype(np.float32)[key])
    np.testing.assert_array_equal(np.asarray(curtain), whole.astype(np.float32))


@pytest.mark.parametrize("key", KEYS)
def test_a_difference_of_unsigned_counts_is_negative_where_it_should(pair, key):
    first, _ = pair
    difference = Difference(first, first[::-1])
    expected = first.astype(int) - first[::-1]
    np.testing.assert_array_equal(difference[key], expected[key])
    low, high = difference.limits
    assert low == -high
    assert 0 < high <= np.abs(expected).max()


def test_nothing_of_a_pair_is_read_but_what_is_asked_for(pair):
    read = []

    class Told:
        shape, dtype = SHAPE, np.dtype(np.uint16)

        def __getitem__(self, key):
            read.append(key)
            return pair[0][key]

    curtain = Curtain(Told(), pair[1], 2)
    assert curtain.shape == SHAPE
    assert curtain.ndim == 3
    assert read == []
    assert curtain[1].shape == SHAPE[1:]
    assert [key[0] for key in read] == [1]


def test_stacks_of_two_shapes_make_no_pair(pair):
    with pytest.raises(ValueError, match=r"one shape.*\(4, 6, 8\)"):
        Difference(pair[0], pair[1][:2])


def test_a_ramp_is_straight_along_any_line():
    y, x = np.mgrid[:40, :50]
    stack = (3.0 * y + 2.0 * x)[np.newaxis]
    line = Line((5.5, 8.0), (30.0, 41.25))
    for width in (1, 5):
        # what is added on one side of the line is taken off on the other
        values = profile(stack, 0, line, width=width)
        ends = [3 * r + 2 * c for r, c in (line.start, line.end)]
        np.testing.assert_allclose(values, np.linspace(*ends, len(values)), rtol=1e-5)
        assert len(values) == round(line.length()) + 1


def test_averaging_over_a_width_calms_noise():
    stack = np.random.default_rng(1).normal(size=(1, 80, 80))
    line = Line((40.0, 5.0), (40.0, 74.0))
    single, wide = (profile(stack, 0, line, width=n).std() for n in (1, 9))
    # nine rows of independent noise; a deviation of 70 samples is known to 9 %
    assert wide == pytest.approx(single / 3, rel=0.35)


def test_a_line_beyond_the_rim_has_no_values_there():
    stack = np.ones((2, 10, 10))
    values = profile(stack, 1, Line((4.0, -5.0), (4.0, 4.0)))
    assert np.isnan(values[:5]).all()
    np.testing.assert_array_equal(values[5:], 1)
    assert np.isnan(profile(stack, 1, Line((30.0, 2.0), (40.0, 2.0)))).all()
    assert len(profile(stack, 1, Line((3.0, 3.0), (3.0, 3.0)))) == 2


def test_lengths_are_in_the_unit_of_the_pixel():
    line = Line((0.0, 0.0), (3.0, 4.0))
    assert line.length() == 5
    assert line.length((4.0, 3.0)) == pytest.approx(12 * 2**0.5)
    assert line.moved(1, 2) == Line((1.0, 2.0), (4.0, 6.0))


def test_slices_through_time_meet_in_the_pixel_they_are_cut_at():
    stack = np.random.default_rng(2).normal(size=(5, 6, 7))
    slices = kymographs(stack, row=2, column=4)
    assert slices.xt.shape == (5, 7)
    assert slices.yt.shape == (5, 6)
    np.testing.assert_array_equal(slices.xt[:, 4], stack[:, 2, 4])
    np.testing.assert_array_equal(slices.yt[:, 2], stack[:, 2, 4])
    beyond = kymographs(stack, row=-3, column=99)
    np.testing.assert_array_equal(beyond.xt, stack[:, 0])
    np.testing.assert_array_equal(beyond.yt, stack[:, :, 6])
