"""Filters in time, what they need, and noise that is made even."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lowdose.classical import BASELINES, stabilized, tune
from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import NoiseUnits

SLOW = ("temporal_median", "nonlocal_means_multi", "nonlocal_means_3d", "pgure_svt")


def scene(frames=12, size=40):
    """Expected counts of some discs that move slowly, 5 to 15."""
    t, y, x = np.ogrid[:frames, :size, :size]
    near = np.hypot(y - 12 - t / 4, x - 14) < 6
    far = np.hypot(y - 28, x - 27 + t / 4) < 5
    return 5.0 + 10.0 * (near | far)


def mse(estimate, truth):
    return float(np.mean((estimate.astype(np.float64) - truth) ** 2))


@pytest.mark.parametrize("name", SLOW)
def test_slow_filters_take_most_of_the_noise_away(name):
    truth = scene()
    noisy = np.random.default_rng(0).poisson(truth)
    baseline = BASELINES[name]
    errors = [
        mse(baseline.denoise(noisy, {next(iter(baseline.settings)): value}), truth)
        for value in next(iter(baseline.settings.values())).coarse
    ]
    # 4 to 7 dB were seen, of the best of three strengths
    assert min(errors) < 0.45 * mse(noisy, truth)


def test_a_running_mean_keeps_the_mean_of_frames_and_their_number_of_quanta():
    counts = np.random.default_rng(0).poisson(3.0, (20, 8, 8))
    estimate = BASELINES["running_mean"].denoise(counts, {"half_window": 2.0})
    np.testing.assert_allclose(estimate[7], counts[5:10].mean(axis=0), rtol=1e-6)
    # symmetric mirroring gives each frame the same weight in all
    np.testing.assert_allclose(estimate.mean(), counts.mean(), rtol=1e-6)


def test_a_temporal_median_is_blind_to_sparks_and_keeps_sudden_edges():
    stack = np.full((15, 6, 6), 4.0)
    stack[8:] = 9.0
    sparks = stack.copy()
    sparks[3, 2, 2] = sparks[11, 4, 1] = 1e6
    estimate = BASELINES["temporal_median"].denoise(sparks, {"half_window": 2.0})
    np.testing.assert_array_equal(estimate, stack)


def test_a_gaussian_in_space_and_time_has_these_widths():
    point = np.zeros((41, 41, 41))
    point[20, 20, 20] = 1000.0
    estimate = BASELINES["gaussian_3d"].denoise(
        point, {"sigma_px": 2.0, "sigma_frames": 3.0}
    )
    shares = estimate / estimate.sum()
    at = np.arange(41) - 20
    for axis, width in enumerate((3.0, 2.0, 2.0)):
        others = tuple(other for other in range(3) if other != axis)
        # cut at the highest wave and at the rim
        assert (shares.sum(axis=others) * at**2).sum() == pytest.approx(
            width**2, rel=0.02
        )


@pytest.mark.parametrize("name", ["temporal_median", "running_mean", "pgure_svt"])
def test_too_few_frames_are_refused_and_told_before(name):
    baseline, counts = BASELINES[name], np.ones((2, 9, 9), np.uint16)
    settings = {name: s.coarse[0] for name, s in baseline.settings.items()}
    with pytest.raises(UnusableStack, match=r"at least \d frames .* got 2"):
        baseline.denoise(counts, settings)
    assert "got 2" in baseline.why_not(counts.shape, counts.dtype)
    assert not baseline.why_not((baseline.least_frames, 9, 9), counts.dtype)


def test_what_stands_in_the_way_is_told_without_looking_at_counts():
    baseline = BASELINES["wavelet"]
    counts = np.dtype(np.uint16)
    assert "choose one channel" in baseline.why_not((5, 5), counts)
    assert "real counts" in baseline.why_not((5, 5, 5), np.dtype(complex))
    large = (1000, 4096, 4096)
    assert "GB of free memory" in baseline.why_not(large, counts, 8e9)
    assert not baseline.why_not(large, counts)
    assert not baseline.why_not((50, 64, 64), counts, 8e9)


def detector(mean, *, gain=1.0, offset=0.0, readout_std=0.0):
    return NoiseUnits.of_detector(
        mean, gain=gain, offset=offset, readout_std=readout_std
    )


def test_even_noise_helps_where_the_brightness_varies_much():
    t, y, x = np.ogrid[:6, :48, :48]
    truth = 3 + 100.0 * (np.hypot(y - 24, x - 24) < 14) + 0.0 * t
    noisy = np.random.default_rng(0).poisson(truth)
    plain = BASELINES["bilateral"]
    even = stabilized(plain, detector(noisy.mean()))
    errors = [
        mse(filt.denoise(noisy, tune(filt, noisy, truth=truth).settings), truth)
        for filt in (plain, even)
    ]
    # 1 dB; 3 dB were seen
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("gaussian", detector(10.0)),  # averages do not mind
        ("bilateral", detector(0.5)),  # too few quanta
        ("bilateral", detector(10.0, gain=0.0, readout_std=2.0)),  # even as it is
    ],
)
def test_noise_is_left_as_it_is_where_that_is_better(name, noise):
    assert stabilized(BASELINES[name], noise) is BASELINES[name]


def test_stabilized_filters_work_in_any_unit_and_are_tuned_without_truth():
    counts = np.random.default_rng(0).poisson(scene())
    other = 3.0 * counts + 50
    plain = stabilized(BASELINES["bilateral"], detector(counts.mean()))
    scaled = stabilized(
        BASELINES["bilateral"], detector(other.mean(), gain=3.0, offset=50.0)
    )
    tuned = tune(plain, counts)
    again = tune(scaled, other, gain=3.0, offset=50.0)
    assert tuned.settings == again.settings
    estimate = plain.denoise(counts, tuned.settings)
    # float32 of counts up to 100
    np.testing.assert_allclose(
        (scaled.denoise(other, tuned.settings) - 50) / 3, estimate, atol=1e-3
    )


def test_a_stabilized_filter_keeps_its_own_criterion():
    counts = np.random.default_rng(0).poisson(6.0, (8, 20, 20))
    even = stabilized(BASELINES["pgure_svt"], detector(6.0))
    tuned = tune(even, counts)
    # in units of the even noise, whose variance is 1: what is left is far below
    assert 0 < min(tuned.losses.values()) < 0.5
