import numpy as np
import pytest

from napari_lowdose.classical.wiener import denoise_wiener
from napari_lowdose.compare.cost import measured, resident_bytes
from napari_lowdose.memory import mapped


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
@pytest.mark.parametrize("shape", [(2, 3, 4), (1,), (3, 0, 2)])
def test_there_are_zeros_that_can_be_written_to(shape, dtype):
    array = mapped(shape, dtype)
    assert (array.shape, array.dtype) == (shape, dtype)
    assert not array.any()
    array += dtype(1)
    assert array.sum() == array.size


@pytest.mark.skipif(resident_bytes() is None, reason="the system does not tell")
def test_it_goes_back_to_the_system():
    mapped((10, 10), np.float32)
    start = resident_bytes()
    array = mapped((50, 1000, 1000), np.float32)
    array += 1
    assert resident_bytes() - start > 0.9 * array.nbytes
    del array
    # What else the process does meanwhile is small beside 200 MB.
    assert resident_bytes() - start < 20e6


@pytest.mark.skipif(resident_bytes() is None, reason="the system does not tell")
def test_the_wiener_filter_takes_one_more_stack():
    stack = np.random.default_rng(0).poisson(1.0, (100, 256, 256)).astype(np.uint16)
    _, cost = measured(lambda: denoise_wiener(stack))
    # Of float32, for the result; 1.3 was measured. Shares of all frames at once, or an
    # intermediate volume, would be another one.
    assert cost.memory_mb < 1.5 * stack.size * 4e-6
