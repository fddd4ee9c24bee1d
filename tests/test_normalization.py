import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lowdose.errors import UnusableStack
from napari_lowdose.normalization import Normalizer


@given(st.floats(0.1, 1e4), st.floats(-1e4, 1e4), st.integers(0, 100))
def test_inverse_undoes_forward(std, mean, seed):
    stack = np.random.default_rng(seed).normal(mean, std, (3, 8, 8))
    normalizer = Normalizer.fit(stack)
    back = normalizer.inverse(normalizer.forward(stack))
    # float32 carries 24 bits of the largest value met on the way
    np.testing.assert_allclose(back, stack, atol=4e-7 * (np.abs(stack).max() + std))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float64])
def test_normalized_values_have_mean_zero_and_deviation_one(dtype):
    stack = np.random.default_rng(0).poisson(50, (4, 64, 64)).astype(dtype)
    signal = Normalizer.fit(stack).forward(stack)
    assert signal.dtype == np.float32
    # the sum of 16384 float32 values of size one rounds to about 1e-6 of their number
    assert signal.mean() == pytest.approx(0, abs=1e-5)
    assert signal.std() == pytest.approx(1, abs=1e-5)


def test_a_constant_stack_is_refused():
    with pytest.raises(UnusableStack, match="every value is 3"):
        Normalizer.fit(np.full((2, 4, 4), 3))
