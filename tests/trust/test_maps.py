"""What is left over, what is behind, and what could have been recorded."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from napari_lowdose.noise import measure_noise
from napari_lowdose.particles.detection import detect
from napari_lowdose.trust.maps import (
    background_of,
    likelihood,
    recorded_again,
    residual,
)


def detector(dose=4.0, *, gain=2.0, offset=100.0, readout_std=3.0, seed=0):
    """A camera's movie of a ramp, its truth and what is read off it."""
    ramp = np.linspace(0.2, 1.8, 64) * dose
    quanta = np.broadcast_to(ramp, (24, 64, 64))
    rng = np.random.default_rng(seed)
    counts = gain * rng.poisson(quanta) + offset
    counts = counts + rng.normal(0, readout_std, quanta.shape)
    truth = gain * quanta + offset
    return (
        counts.astype(np.float32),
        truth.astype(np.float32),
        measure_noise(counts.astype(np.float32), offset=offset),
    )


def counted(truth, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(truth).astype(np.float32)


def test_residual_of_the_truth_is_the_noise_in_its_own_units():
    counts, truth, measured = detector()
    left = residual(counts, truth, measured)
    # of 98,304 values the mean is known to 0.0032 and the deviation to about 0.0025;
    # the gain is read to about 3 %
    assert left.mean() == pytest.approx(0, abs=0.013)
    assert left.std() == pytest.approx(1, abs=0.03)


def test_residual_shows_what_an_estimate_has_lost(movie):
    noisy, truth = (stack.read() for stack in movie(3.0))
    lost = background_of(truth)
    left = residual(noisy, lost, measure_noise(noisy))
    brightest = np.unravel_index(np.argmax(truth - lost), truth.shape)
    around = ndimage.gaussian_filter(left, (2, 1.5, 1.5))
    # white noise has a deviation of 0.079 after this filter
    assert around[brightest] > 10 * 0.079


def test_residual_is_finite_where_nothing_is_expected(movie):
    noisy = movie(0.3)[0].read()
    for nothing in (np.zeros(noisy.shape), np.full(noisy.shape, -1.0)):
        left = residual(noisy, nothing, measure_noise(noisy))
        assert np.isfinite(left).all()


def test_counts_prefer_a_spot_that_is_there_to_one_that_was_painted_in():
    rows, columns = np.mgrid[:64, :64]
    blob = 6 * np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / (2 * 1.5**2))
    quanta = np.broadcast_to(1 + blob, (8, 64, 64))
    noisy = np.random.default_rng(0).poisson(quanta)
    invented = quanta + np.roll(blob, (24, 24), axis=(0, 1))
    spots = pd.DataFrame(
        {"frame": [3, 3], "y": [20.0, 44.0], "x": [20.0, 44.0], "sigma": [1.5, 1.5]}
    )
    maps = []
    for gain, offset in ((1.0, 0.0), (4.0, 100.0)):
        counts = (gain * noisy + offset).astype(np.float32)
        measured = measure_noise(counts, offset=offset)
        # read off whole counts without an error
        assert measured.gain.value == gain
        seen = (gain * invented + offset).astype(np.float32)
        maps.append(likelihood(counts, seen, spots, measured))
    assert maps[0][3, 20, 20] > 1  # 5 quanta where 1 is the ground: 5 ln 5 - 4
    assert maps[0][3, 44, 44] < -1  # 1 quantum there: ln 5 - 4
    assert not maps[0][4].any()
    # single precision of 128 counts
    np.testing.assert_allclose(*maps, atol=1e-3)


def test_counts_are_recorded_again_with_the_noise_that_was_measured():
    counts, truth, measured = detector()
    again = recorded_again(truth, measured, np.random.default_rng(5))
    for dark in (True, False):
        half = np.s_[:, :, :32] if dark else np.s_[:, :, 32:]
        first, second = ((a - truth)[half].var() for a in (counts, again))
        # a variance of 49,152 values is known to 0.64 %, both to 0.9 %, and the gain
        # is read to about 3 %
        assert second == pytest.approx(first, rel=0.06)
    assert again.mean() == pytest.approx(truth.mean(), abs=4 * 5 / np.sqrt(again.size))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64])
def test_counts_are_recorded_again_in_their_own_type(dtype):
    truth = np.full((4, 32, 32), 250.0)
    _, _, measured = detector()
    like = np.dtype(dtype)
    again = recorded_again(truth, measured, np.random.default_rng(0), like=like)
    assert again.dtype == like
    # 250 counts of 2 per quantum have a deviation of 17: eight bits are too few
    top = 255 if dtype is np.uint8 else again.max()
    assert again.max() == top


def test_a_detector_that_counts_records_whole_quanta_again(movie):
    noisy, truth = (stack.read() for stack in movie(0.3))
    again = recorded_again(truth, measure_noise(noisy), np.random.default_rng(0))
    np.testing.assert_array_equal(again, np.rint(again))
    # Poisson: variance and mean are one, each known to about 1 % of 55,296 values
    assert again.var() == pytest.approx(noisy.var(), rel=0.06)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("std", [1.0, 2.0, 4.0])
def test_nothing_like_a_particle_is_left_in_the_background(sign, std):
    rng = np.random.default_rng(1)
    spots = np.zeros((4, 128, 128))
    for t, y, x in zip(
        rng.integers(4, size=40), *rng.integers(8, 120, (2, 40)), strict=True
    ):
        spots[t, y, x] = 1
    spots = ndimage.gaussian_filter(spots, (0, std, std)) * 2 * np.pi * std**2
    y, x = np.mgrid[:128, :128]
    ground = 10 + 3 * np.sin(x / 40) + y / 60
    left = background_of(ground + 5 * sign * spots)
    found = detect(sign * left, sigmas_px=(1.0, 2.0, 4.0), threshold=0.0)
    # a spot of the height 5 has a response of 2.5; the ground's own is up to 0.03
    assert found["response"].to_numpy().max(initial=0) < 0.05 * 2.5
    # 20 px of the ground's slope at the rim, and what many spots raise a median by
    assert np.abs(left - ground).max() < 20 * 3 / 40
    assert np.abs(left - ground).mean() < 0.35


def test_lighting_that_changes_with_time_stays_in_the_background(movie):
    truth = movie(2.0)[1].read()
    lit = truth * np.linspace(1, 2, len(truth), dtype=np.float32)[:, None, None]
    dark, bright = (background_of(stack) for stack in (truth, lit))
    share = bright.mean(axis=(1, 2)) / dark.mean(axis=(1, 2))
    # all steps but for rounding commute with a factor
    np.testing.assert_allclose(share, np.linspace(1, 2, len(truth)), rtol=1e-4)


def test_a_large_offset_leaves_the_background_as_it_is(movie):
    truth = movie(2.0)[1].read()
    high = background_of(truth.astype(np.float64) + 1e6)
    # single precision has steps of a sixteenth at a million
    np.testing.assert_allclose(high - 1e6, background_of(truth), atol=0.07)
