"""Residuals: noise looks like noise, and what is no noise does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.metrics import noise_variance, residual_statistics

STRUCTURE = ("right", "below", "next_frame")


def truth(gain=1.0, offset=0.0):
    rng = np.random.default_rng(5)
    image = ndimage.gaussian_filter(rng.normal(size=(128, 128)), 2, mode="wrap")
    image = 0.3 + 3 * (image - image.min()) / np.ptp(image)
    return np.repeat(image[None], 12, axis=0)


def statistics(noisy, estimate, variance):
    rng = np.random.default_rng(0)
    return residual_statistics(noisy, estimate, variance, rng)


@pytest.fixture(scope="module")
def counts():
    return np.random.default_rng(0).poisson(truth())


def test_of_the_truth_only_noise_is_left():
    electrons = np.random.default_rng(0).poisson(truth())
    readout = np.random.default_rng(1).normal(0, 2, electrons.shape)
    noisy, estimate = 3.0 * electrons + 20 + readout, 3.0 * truth() + 20
    variance = noise_variance(estimate, gain=3.0, offset=20.0, readout_std=2.0)
    found = statistics(noisy, estimate, variance)
    # three standard errors, each
    assert abs(found.mean.value) < 3 * found.mean.std_error
    assert abs(found.z_of_mean.value) < 3
    assert found.chi2.value == pytest.approx(1, abs=3 * found.chi2.std_error)
    for name in STRUCTURE:
        score = getattr(found, name)
        assert abs(score.value) < 3 * score.std_error
        # one over the root of the number of voxels, up to the counts' skewness
        assert score.std_error == pytest.approx(noisy.size**-0.5, rel=0.1)


def test_a_blur_leaves_structure(counts):
    estimate = ndimage.gaussian_filter(truth(), (0, 4, 4))
    found = statistics(counts, estimate, noise_variance(estimate))
    assert found.chi2.value > 1 + 5 * found.chi2.std_error
    for name in STRUCTURE:
        score = getattr(found, name)
        assert score.value > 10 * score.std_error


def test_an_estimate_that_follows_the_noise_leaves_too_little(counts):
    estimate = (counts + truth()) / 2
    found = statistics(counts, estimate, noise_variance(truth()))
    # half of the noise is a quarter of its variance
    assert found.chi2.value == pytest.approx(0.25, abs=3 * found.chi2.std_error)


def test_a_wrong_brightness_shows_in_the_mean(counts):
    found = statistics(counts, truth() + 0.05, noise_variance(truth()))
    error = np.sqrt(truth().mean() / counts.size)
    assert found.mean.value == pytest.approx(-0.05, abs=3 * error)
    assert found.z_of_mean.value == pytest.approx(-0.05 / error, abs=3)


def test_without_a_second_frame_there_is_none_to_correlate_with(counts):
    one = slice(0, 1)
    found = statistics(counts[one], truth()[one], noise_variance(truth()[one]))
    assert np.isnan(found.next_frame.value)
    assert np.isfinite(found.right.value)


def test_no_noise_model_is_refused():
    stack = np.ones((2, 8, 8))
    with pytest.raises(ValueError, match="a variance above zero"):
        statistics(stack, stack, 0 * stack)
    with pytest.raises(ValueError, match="of one shape"):
        statistics(stack, stack, stack[1:])
