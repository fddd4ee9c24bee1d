"""How volumes are kept while a stack is looked at."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_lowdose.config import Plane
from napari_lowdose.denoiser.kept import (
    Beside,
    Counts,
    Halves,
    Logarithms,
    Shares,
    gaussian_means,
    images_of,
)
from napari_lowdose.denoiser.running import Running
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
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=20, max_size=20),
    signed=st.booleans(),
)
def test_logarithms_are_exact_to_half_a_step(values, signs, signed):
    kept = Logarithms.empty((1, 1, len(values)), CPU, (1e-3, 1e2), signed=signed)
    images = torch.tensor(values)[None, None]
    if signed:
        images *= torch.tensor(signs[: len(values)])
    kept.put(Plane.XY, 0, 1, images)
    # 254 steps over five decades, half as many with signs; and float32
    half = 0.5 * np.log(1e5) / (126 if signed else 254) + 1e-4
    found = kept.part(Plane.XY, 0, 1) / images
    assert found.log().abs().max() <= half


def test_logarithms_have_a_zero_and_an_end():
    kept = Logarithms.empty((1, 1, 3), CPU, (1e-2, 1e2))
    kept.put(Plane.XY, 0, 1, torch.tensor([[[0.0, 1e-5, 1e9]]]))
    found = kept.part(Plane.XY, 0, 1).flatten()
    assert found[:2].tolist() == [0, 0]
    assert found[2] == pytest.approx(1e2, rel=1e-5)


def test_signed_logarithms_have_a_zero_and_two_ends():
    kept = Logarithms.empty((1, 1, 4), CPU, (1e-2, 1e2), signed=True)
    kept.put(Plane.XY, 0, 1, torch.tensor([[[0.0, -1e-5, 1e9, -1e9]]]))
    found = kept.part(Plane.XY, 0, 1).flatten()
    assert found[:2].tolist() == [0, 0]
    np.testing.assert_allclose(found[2:], [1e2, -1e2], rtol=1e-5)


@pytest.mark.parametrize("plane", Plane)
def test_a_volume_beside_another_one_is_nearly_itself(plane):
    rng = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, *SHAPE, generator=rng)
    kept = Beside.of(Halves(one.half()), Halves(other.half()), (1e-3, 1e2))
    found = kept.part(plane, 2, 8)
    wanted = one.movedim(plane.axis, 0)[2:8]
    # Half a step of the difference's logarithm is 5 % of it, and halves have 11 bits.
    most = 0.05 * (one - other).abs().max() + 0.01
    assert (found - wanted).abs().max() < most


@pytest.mark.parametrize("planes", [tuple(Plane), (Plane.XY, Plane.YT)])
def test_the_planes_deviation_and_the_first_are_those_of_their_estimates(planes):
    rng = torch.Generator().manual_seed(0)
    estimates = torch.randn(len(planes), *SHAPE, generator=rng)
    running = Running.over(SHAPE, CPU)
    weights = torch.rand(len(planes), *SHAPE, generator=rng) + 0.1
    for plane, estimate, weight in zip(planes, estimates, weights, strict=True):
        for start in range(0, SHAPE[plane.axis], 4):
            stop = min(start + 4, SHAPE[plane.axis])
            images, shares = (
                part.movedim(plane.axis, 0)[start:stop] for part in (estimate, weight)
            )
            running.take(plane, start, stop, images, shares)
        running.end_plane()
    fused = running.end()
    first, deviation = running.apart.end(fused)
    found = deviation.part(Plane.XY, 0, SHAPE[0])
    exact = estimates.std(dim=0)
    # Rounded by up to 5 % of the difference, as evenly as may be: 2.6 %; the deviation
    # itself by half of that.
    wrong = (found - exact).square().mean() / exact.square().mean()
    assert wrong.sqrt() < 0.04
    mean = (weights * estimates).sum(0) / weights.sum(0)
    # Sums of weights are kept to 3 %.
    assert (fused.volume - mean).abs().max() < 0.05 * estimates.abs().max()
    # As the deviation is, by the differences that it is found from and kept by.
    wrong = first.part(Plane.XY, 0, SHAPE[0]) - estimates[0]
    assert wrong.square().mean() < 0.04**2 * exact.square().mean()


def test_a_mean_of_corrections_takes_the_place_of_what_it_corrects():
    rng = torch.Generator().manual_seed(0)
    first = 100 * torch.randn(SHAPE, generator=rng)
    corrections = torch.randn(3, *SHAPE, generator=rng)
    weights = torch.rand(3, *SHAPE, generator=rng) + 0.1
    corrected = Halves(first.half())
    estimates = corrected.volume.float() + corrections
    running = Running.over(SHAPE, CPU, corrected)
    for plane, estimate, weight in zip(Plane, estimates, weights, strict=True):
        n = SHAPE[plane.axis]
        images, shares = (one.movedim(plane.axis, 0) for one in (estimate, weight))
        running.take(plane, 0, n, images, shares)
    assert running.end() is corrected
    wanted = (weights * estimates).sum(0) / weights.sum(0)
    wrong = (corrected.volume - wanted).square().mean().sqrt()
    # Of a byte's logarithms half a step is 5 % of the correction, as even errors 2.7 %,
    # thrice; sums of weights are kept to 3 %; halves of 100 have steps of 0.06.
    assert wrong < 0.05 * corrections.std() + 0.03


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


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_shares_are_exact_to_half_a_step(values):
    kept = Shares.empty((1, 1, len(values)), CPU)
    images = torch.tensor(values)[None, None]
    kept.put(Plane.XY, 0, 1, images)
    # and float32
    assert (kept.part(Plane.XY, 0, 1) - images).abs().max() <= 0.5 / 255 + 1e-6
