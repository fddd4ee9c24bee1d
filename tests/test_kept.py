"""How volumes are kept while a stack is looked at."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_lowdose.config import Plane
from napari_lowdose.denoiser.kept import (
    Counts,
    Halves,
    Logarithms,
    gaussian_means,
    images_of,
)
from napari_lowdose.networks import Channel
from napari_lowdose.networks.look import slices_of, smoothed
from napari_lowdose.noise.units import NoiseUnits

CPU = torch.device("cpu")
SHAPE = (9, 14, 11)


@pytest.fixture
def counts(noisy) -> Counts:
    units = NoiseUnits.of_detector(
        float(noisy.mean()), gain=1.0, offset=0.0, readout_std=0.0
    )
    return Counts(noisy, units, CPU)


@given(
    values=st.lists(st.floats(1e-3, 1e2), min_size=1, max_size=20),
    factor=st.floats(0.1, 10),
)
def test_logarithms_are_exact_to_half_a_step(values, factor):
    kept = Logarithms.empty((1, 1, len(values)), CPU, (1e-3, 1e2))
    images = torch.tensor(values)[None, None]
    kept.put(Plane.XY, 0, 1, images)
    # 254 steps over five decades, and float32
    half = 0.5 * np.log(1e5) / 254 + 1e-4
    found = kept.times(factor).part(Plane.XY, 0, 1) / (images * factor)
    assert found.log().abs().max() <= half


def test_logarithms_have_a_zero_and_an_end():
    kept = Logarithms.empty((1, 1, 3), CPU, (1e-2, 1e2))
    kept.put(Plane.XY, 0, 1, torch.tensor([[[0.0, 1e-5, 1e9]]]))
    found = kept.part(Plane.XY, 0, 1).flatten()
    assert found[:2].tolist() == [0, 0]
    assert found[2] == pytest.approx(1e2, rel=1e-5)


@pytest.mark.parametrize("plane", Plane)
def test_slices_are_put_where_they_are_read(plane):
    kept = Halves.empty(SHAPE, CPU)
    images = torch.rand(2, *(n for a, n in enumerate(SHAPE) if a != plane.axis))
    kept.put(plane, 3, 5, images)
    torch.testing.assert_close(kept.part(plane, 3, 5), images.half())
    assert kept.volume.count_nonzero() == images.half().count_nonzero()


@pytest.mark.parametrize("plane", Plane)
def test_gaussian_means_by_blocks_are_nearly_those_of_each_voxel(counts, plane):
    stack = counts.stack
    volume = torch.from_numpy(counts.units.forward(stack))[None]
    n = stack.shape[plane.axis]
    found = gaussian_means(counts, stack.shape)
    for channel, exact in smoothed(volume).items():
        part = found[channel].part(plane, 0, n)
        wrong = part - exact[0].movedim(plane.axis, 0)
        # A Gaussian bends little over blocks of a half of its deviation.
        assert wrong.square().mean().sqrt() < 0.1 * exact.std()
        torch.testing.assert_close(found[channel].part(plane, 4, 7), part[4:7])


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize(("start", "stop"), [(0, 2), (3, 6), (7, 9)])
def test_slices_come_with_the_same_neighbours_as_in_training(plane, start, stop):
    volumes = torch.rand(2, *SHAPE).half()
    kept = {
        Channel.FUSED: Halves(volumes[0]),
        Channel.WIENER: Halves(volumes[1]),
    }
    sees = ((Channel.FUSED, 2), (Channel.WIENER, 0))
    n = SHAPE[plane.axis]
    images = images_of(kept, sees, plane, (start, stop, n), torch.float16)
    wanted = slices_of([(volumes[:1], 2), (volumes[1:], 0)], plane, start, stop)
    torch.testing.assert_close(images, wanted)
