"""Scores: known answers, and what each of them must not do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.metrics import METRICS, score
from napari_lowdose.metrics.consecutive import css, css_plain
from napari_lowdose.metrics.reference import psnr
from napari_lowdose.noise import thin
from napari_lowdose.noise.thinned_error import thinned_mse

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


def scene(frames=6, size=48):
    """A smooth still scene between 0 and 1, the same in every frame."""
    rng = np.random.default_rng(5)
    image = ndimage.gaussian_filter(rng.normal(size=(size, size)), 3, mode="wrap")
    image = (image - image.min()) / np.ptp(image)
    return np.repeat(image[None], frames, axis=0)


def measured(metric, estimate, truth):
    return metric.measure(estimate, *((truth,) if metric.needs_truth else ()))


@every_metric
def test_noise_makes_a_score_worse_and_perfection_is_best(metric):
    truth = scene()
    rng = np.random.default_rng(0)
    noises = [rng.normal(0, std, truth.shape) for std in (0.0, 0.1, 0.3)]
    scores = [measured(metric, truth + noise, truth) for noise in noises]
    assert scores == sorted(scores, reverse=metric.higher_is_better)


@every_metric
def test_counts_of_another_dtype_score_the_same(metric):
    rng = np.random.default_rng(0)
    truth = np.rint(scene() * 100).astype(np.uint16)
    noisy = (truth + rng.integers(0, 50, truth.shape)).astype(np.uint16)
    exact = measured(metric, noisy.astype(np.float64), truth.astype(np.float64))
    # unsigned integers must not wrap around; float64 sums agree to rounding
    assert measured(metric, noisy, truth) == pytest.approx(exact, rel=1e-9)


@every_metric
def test_a_metric_explains_itself(metric):
    assert metric.summary.endswith(".")
    assert metric.direction.endswith("is better")


def test_psnr_of_counts_is_that_of_their_variance_unclipped():
    # Mean 0.443 in a range of 1: the raw counts of the SBD data, 3.54 dB.
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.linspace(0, 1, 200_000) ** 1.257).reshape(2, 250, 400)
    assert truth.mean() == pytest.approx(0.443, abs=0.001)
    noisy = rng.poisson(truth)
    # 200000 squared errors of Poisson counts: 0.5 %, 0.02 dB
    assert psnr(noisy, truth) == pytest.approx(3.54, abs=0.05)
    assert psnr(noisy.clip(0, 1), truth) > 3.54 + 0.5


def test_a_perfect_estimate_has_no_error_and_infinite_psnr():
    truth = scene()
    scores = score(truth, truth)
    assert scores["mse"] == 0
    assert scores["psnr"] == math.inf
    assert scores["ssim"] == pytest.approx(1)


@pytest.mark.parametrize("measure", [css, css_plain])
def test_equal_frames_score_one(measure):
    assert measure(scene()) == pytest.approx(1)
    assert measure(np.full((3, 4, 4), 7)) == 1


@pytest.mark.parametrize("std", [0.02, 0.05, 0.1])
def test_css_of_noisy_copies_is_their_share_of_signal(std):
    truth = scene(frames=20, size=128) + 1
    noisy = truth + np.random.default_rng(0).normal(0, std, truth.shape)
    span = np.ptp(noisy)
    signal, noise = truth[0].var() / span**2, std**2 / span**2
    # a covariance of 16384 pixels, averaged over 19 pairs of frames
    assert css(noisy) == pytest.approx(
        (2 * signal + 9e-4) / (2 * (signal + noise) + 9e-4), abs=0.005
    )
    assert css_plain(noisy) == pytest.approx(signal / (signal + noise), abs=0.005)


def test_css_of_an_inverted_frame_is_minus_one():
    image = scene(1)[0]
    pair = np.stack([image, 2 * image.mean() - image])
    assert css_plain(pair) == pytest.approx(-1)


@pytest.mark.parametrize("width", [3, 5, 9])
def test_css_rewards_averaging_pure_noise(width):
    noise = np.random.default_rng(0).normal(0, 1, (60, 64, 64))
    leaking = ndimage.uniform_filter1d(noise, width, axis=0)
    inner = leaking[width:-width]
    assert css_plain(inner) == pytest.approx((width - 1) / width, abs=0.02)


def test_css_with_constants_takes_faint_noise_for_likeness():
    noise = np.random.default_rng(0).normal(0, 0.01, (8, 64, 64))
    noise[0, 0, :2] = 0.0, 1.0  # sets the range to about 1
    # C2 / (2 v + C2) of noise with the variance 1e-4, its mean at 0.04
    assert css(noise) == pytest.approx(0.82, abs=0.03)
    assert abs(css_plain(noise)) < 0.05


def test_similarity_never_stands_alone_and_needs_two_frames():
    assert list(score(scene())) == ["css", "css_plain"]
    assert score(scene(1)) == {}
    assert list(score(scene(1), scene(1))) == ["mse", "psnr", "ssim"]
    with pytest.raises(ValueError, match="at least 2 frames"):
        css(scene(1))


def test_scores_that_need_larger_frames_are_left_out():
    assert "ssim" not in score(scene(size=10), scene(size=10))
    assert "ssim" in score(scene(size=11), scene(size=11))


def test_unusable_arrays_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"\(6, 48, 48\), got \(5, 48, 48\)"):
        score(scene(), scene(5))
    with pytest.raises(ValueError, match=r"shape \(t, y, x\), got \(48, 48\)"):
        score(scene()[0])
    with pytest.raises(ValueError, match="a truth with contrast"):
        score(scene(), np.ones((6, 48, 48)))


@pytest.mark.parametrize("fraction", [0.5, 0.8])
def test_thinned_error_is_the_true_error(fraction):
    truth = scene(frames=4) * 3 + 1
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(40):
        kept, held_out = thin(rng.poisson(truth), fraction, rng=rng)
        estimate = ndimage.gaussian_filter(kept / fraction, (0, 1.5, 1.5))
        blind = thinned_mse(estimate, held_out, fraction=fraction)
        differences.append(blind - np.mean((estimate - truth) ** 2))
    # three standard errors
    error = np.std(differences) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < 3 * error
