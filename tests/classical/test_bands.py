import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lowdose.classical.bands import Bands

SIZES = st.integers(1, 20)


@given(st.tuples(SIZES, SIZES, SIZES), st.integers(1, 40), st.integers(1, 40))
def test_each_frequency_is_in_one_band(shape, along, across):
    bands = Bands.of(shape, (along, across))
    expected = np.zeros((along, across))
    for t, row, column in np.ndindex(shape):
        expected[bands.along[t], bands.across[row, column]] += 1
    np.testing.assert_array_equal(bands.counts(), expected)
    assert expected.sum() == np.prod(shape)


def test_products_are_summed_within_bands():
    one, other = np.random.default_rng(0).standard_normal((2, 30, 12, 20), np.float32)
    bands = Bands.of(one.shape, (4, 6))
    product = one.astype(float) * other
    found = bands.products(one, other)
    for along, across in np.ndindex(4, 6):
        within = product[bands.along == along][:, bands.across == across]
        # Single precision, of up to 2000 terms that are about 1.
        assert found[along, across] == pytest.approx(within.sum(), abs=1e-3)


def test_low_frequencies_have_narrower_bands_than_high_ones():
    bands = Bands.of((100, 64, 64), (8, 12))
    assert (np.diff(bands.along) >= 0).all()
    widths = np.bincount(bands.along)
    assert (np.diff(widths) > 0).all()
    assert bands.across[0, 0] == 0
    assert bands.across[-1, -1] == 11
