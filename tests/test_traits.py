"""Traits of a movie, and the gains that they tell."""

import numpy as np
import pytest
import torch

from napari_lowdose.networks.gains import Gains
from napari_lowdose.networks.gaussian import gaussian
from napari_lowdose.networks.shuffled_unet import ShuffledUNet
from napari_lowdose.networks.traits import N_TRAITS, traits_of, windows_of

SHAPE = (24, 64, 64)


def told(stack: np.ndarray) -> np.ndarray:
    return traits_of(windows_of(stack), 1.0).numpy()


def spots(step_px: int) -> np.ndarray:
    """Bright spots that all move by so many pixels per frame, without noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :64]
    frame = sum(
        np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
        for y, x in rng.uniform(0, 64, (6, 2))
    )
    frames = [np.roll(frame, step_px * t, axis=1) for t in range(SHAPE[0])]
    return 10 * np.array(frames, np.float32)


def test_noise_alone_has_no_traits_but_its_slope():
    noise = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    traits = told(noise)
    assert traits.shape == (N_TRAITS,)
    # The widest band has some 50 independent places in each of 24 frames: a correlation
    # of 3 % by chance, whose root is 17 %; and three of these deviations.
    assert np.abs(traits[:-1]).max() < 0.5
    assert np.abs(traits[:4]).max() < 0.1  # 100,000 voxels
    assert traits[-1] == 0.5


def test_what_stands_still_lasts_and_what_moves_does_not():
    still, moving = (
        told(spots(step)).reshape(-1)[:-1].reshape(5, 5) for step in (0, 4)
    )
    # All frames are alike, so all correlations are 1.
    np.testing.assert_allclose(still[:, :4], 1, atol=1e-3)
    # Spots have a deviation of 2 px: after one step of 4 little of them overlaps.
    assert moving[1, 0] < 0.5


def test_brightness_does_not_matter_but_which_side_is_bright_does():
    rng = np.random.default_rng(1)
    movie = spots(1) + rng.standard_normal(SHAPE, dtype=np.float32)
    np.testing.assert_allclose(told(movie), told(movie + 7), atol=1e-3)
    bright, dark = (told(part)[:-1].reshape(5, 5)[:, 4] for part in (movie, -movie))
    np.testing.assert_allclose(bright, -dark, atol=1e-5)
    assert bright[2] > 0


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 40, 50), (11, 9, 300)])
def test_of_few_frames_nothing_is_told(shape):
    assert not told(np.ones(shape, np.float32)).any()


@pytest.mark.parametrize("shape", [(12, 5, 7), (100, 300, 130), (12, 1, 1)])
def test_a_movie_of_any_size_has_finite_traits(shape):
    stack = np.random.default_rng(0).poisson(1.0, shape).astype(np.float32)
    windows = windows_of(stack)
    assert all(len(window) <= 48 and max(window.shape) <= 128 for window in windows)
    assert np.isfinite(told(stack)).all()


@pytest.fixture
def network() -> ShuffledUNet:
    torch.manual_seed(0)
    network = ShuffledUNet(shuffle=2, depth=2, width=4, n_channels=2, n_outputs=3)
    network.double().gains.float()
    return network


def test_gains_change_nothing_before_they_are_trained(network):
    images = torch.randn(4, 2, 24, 20, dtype=torch.double)
    traits = torch.randn(2, N_TRAITS)
    # Gains are found in float32.
    torch.testing.assert_close(
        network(images, traits), network(images), rtol=1e-5, atol=1e-5
    )


def test_a_network_that_is_told_does_what_it_was_trained_to_do(network):
    """Gains in the weights are gains of the features, each stack's its own."""
    for weights in network.gains.say.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    images = torch.randn(6, 2, 24, 20, dtype=torch.double)
    traits = torch.randn(2, N_TRAITS)
    with torch.no_grad():
        together = network(images, traits)
        apart = [
            network.told(t)(part)
            for t, part in zip(traits, images.split(3), strict=True)
        ]
        untold = network(images)
    # Gains are found in float32, a batch at a time or one by one: 7 digits, some of
    # which are lost in differences on the way through 14 layers.
    largest = untold.abs().max()
    assert (together - torch.cat(apart)).abs().max() < 1e-4 * largest
    assert (together - untold).abs().max() > 0.1 * largest


def test_other_weights_are_drawn_as_if_there_were_no_gains():
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    Gains([4, 8])
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("std", [0.3, 1.0, 8.0])
def test_no_weight_of_a_mean_is_too_small_for_fast_arithmetic(std):
    """Products with subnormal numbers take a CPU ten times as long."""
    weights = gaussian(256, std, torch.device("cpu"))
    assert weights[weights > 0].min() > 1e-14
    assert weights.sum(1).numpy() == pytest.approx(1, abs=1e-6)  # single precision
