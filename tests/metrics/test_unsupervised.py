"""Errors without truth: unbiased where they say so, wrong where they say so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.metrics import (
    noise2self_loss,
    thinned_error,
    umse,
    umse_from_neighbours,
)
from napari_lowdose.noise import thin
from napari_lowdose.noise.thinned_error import thinned_mse

REPEATS = 25


def scene(frames=8, size=128):
    """Smooth expected counts between 1 and 4, the same in every frame."""
    rng = np.random.default_rng(5)
    image = ndimage.gaussian_filter(rng.normal(size=(size, size)), 3, mode="wrap")
    image = 1 + 3 * (image - image.min()) / np.ptp(image)
    return np.repeat(image[None], frames, axis=0)


def blurred(counts, std_px=0.7):
    return ndimage.gaussian_filter(counts.astype(np.float32), (0, std_px, std_px))


def by_thinning(truth, rng):
    kept, held_out = thin(rng.poisson(truth), 0.5, rng=rng)
    estimate = blurred(kept / 0.5)
    return estimate, thinned_error(estimate, held_out, fraction=0.5)


def by_repeats(truth, rng):
    estimate = blurred(rng.poisson(truth))
    return estimate, umse(estimate, *(rng.poisson(truth) for _ in range(3)))


@pytest.mark.parametrize("judge", [by_thinning, by_repeats])
def test_the_error_without_truth_is_the_true_one(judge):
    truth, rng = scene(), np.random.default_rng(0)
    found, true = [], []
    for _ in range(REPEATS):
        estimate, error = judge(truth, rng)
        found.append(error.mse(rng).value)
        true.append(np.mean((estimate - truth) ** 2))
    differences = np.subtract(found, true)
    # three standard errors
    assert abs(differences.mean()) < 3 * differences.std() / np.sqrt(REPEATS)
    # and no more than the 0.1 dB that the score is meant to have
    assert abs(10 * np.log10(np.mean(found) / np.mean(true))) < 0.1


def test_its_standard_error_is_its_scatter():
    truth, rng = np.full((1, 128, 128), 2.0), np.random.default_rng(1)
    scores = [by_repeats(truth, rng)[1] for _ in range(40)]
    mse = [score.mse(rng) for score in scores]
    psnr = [score.psnr(4.0, rng) for score in scores]
    for found in (mse, psnr):
        scatter = np.std([score.value for score in found])
        # a deviation of 40 is known to 11 %, each error from 64 tiles to 9 %
        assert np.mean([s.std_error for s in found]) == pytest.approx(scatter, rel=0.35)


def test_thinned_error_agrees_with_the_plain_function_and_knows_readout_noise():
    truth, rng = scene(frames=4), np.random.default_rng(2)
    kept, held_out = thin(rng.poisson(truth), 0.8, rng=rng)
    estimate = blurred(kept / 0.8)
    error = thinned_error(estimate, held_out, fraction=0.8).mse(rng).value
    # the same sum in another order
    assert error == pytest.approx(thinned_mse(estimate, held_out, fraction=0.8))
    differences = []
    for _ in range(10):
        # enough electrons for the parts to be uncorrelated
        counts = rng.poisson(4 * truth) + rng.normal(0, 1.5, truth.shape)
        kept, held_out = thin(counts, 0.5, readout_std=1.5, rng=rng)
        estimate = blurred(kept / 0.5)
        judged = thinned_error(estimate, held_out, fraction=0.5, readout_std=1.5)
        true = np.mean((estimate - 4 * truth) ** 2)
        differences.append(judged.mse(rng).value / true - 1)
    # three standard errors of about 0.5 %, and the small correlation that `thin` admits
    assert abs(np.mean(differences)) < 0.03


def test_the_difference_of_two_estimates_is_known_better_than_each():
    truth, rng = scene(frames=4), np.random.default_rng(5)
    found, true, alone = [], [], []
    for _ in range(40):
        kept, held_out = thin(rng.poisson(truth), 0.8, rng=rng)
        mild, strong = (ndimage.gaussian_filter(kept / 0.8, (0, s, s)) for s in (1, 2))
        one, other = (
            thinned_error(estimate, held_out, fraction=0.8)
            for estimate in (mild, strong)
        )
        found.append(one.above(other, rng))
        alone.append(one.mse(rng).std_error)
        true.append(np.mean((mild - truth) ** 2) - np.mean((strong - truth) ** 2))
    wrong = np.array([score.value for score in found]) - true
    stated = np.mean([score.std_error for score in found])
    assert abs(wrong.mean()) < 4 * wrong.std() / 40**0.5
    # What differs from tile to tile in the scene counts as chance, too.
    assert 0.8 * wrong.std() < stated < np.mean(alone)
    with pytest.raises(ValueError, match="the same tiles"):
        one.above(thinned_error(mild[:, :32], held_out[:, :32], fraction=0.8), rng)


def test_neighbours_of_a_still_scene_are_repetitions():
    truth, rng = scene(frames=40), np.random.default_rng(3)
    noisy = rng.poisson(truth)
    estimate = blurred(noisy)
    found = umse_from_neighbours(estimate, noisy).mse(rng)
    true = np.mean((estimate - truth) ** 2)
    assert abs(found.value - true) < 3 * found.std_error


def test_motion_biases_neighbours_as_stated():
    rng = np.random.default_rng(4)
    image = scene(frames=1)[0]
    truth = np.stack([np.roll(image, t, axis=1) for t in range(40)])
    noisy = rng.poisson(truth)
    estimate = blurred(noisy)
    found = umse_from_neighbours(estimate, noisy).mse(rng)
    x, f, a = truth[1:-2], estimate[1:-2], truth[:-3]
    b, c = truth[2:-1], truth[3:]
    bias = np.mean((x - a) ** 2 + 2 * (f - x) * (x - a) - (b - c) ** 2 / 2)
    assert found.value - np.mean((f - x) ** 2) == pytest.approx(
        bias, abs=3 * found.std_error
    )


@pytest.mark.parametrize("seen_frames", [0, 1])
def test_an_estimate_that_has_seen_its_references_is_flattered(seen_frames):
    truth, rng = scene(frames=40), np.random.default_rng(5)
    noisy = rng.poisson(truth)
    estimate = ndimage.uniform_filter1d(noisy.astype(float), 3, axis=0)
    found = umse_from_neighbours(estimate, noisy, seen_frames=seen_frames).mse(rng)
    true = np.mean((estimate - truth)[2:-2] ** 2)
    leaked = 2 * truth.mean() / 3 if seen_frames == 0 else 0.0
    assert found.value == pytest.approx(true - leaked, abs=3 * found.std_error)


@pytest.mark.parametrize(
    "denoise",
    [
        lambda counts: ndimage.gaussian_filter(counts, (1, 1, 1)),
        lambda counts: ndimage.median_filter(counts, (1, 3, 3)),
        lambda counts: ndimage.uniform_filter(counts, (1, 5, 5)),
    ],
    ids=["gaussian", "median", "mean"],
)
def test_noise2self_loss_is_the_true_error_plus_the_noise(denoise):
    truth, rng = scene(frames=16, size=192), np.random.default_rng(6)
    noisy = (truth + rng.normal(0, 1, truth.shape)).astype(np.float32)
    seen = []

    def watched(counts):
        seen.append((counts, denoise(counts)))
        return seen[0][1]

    loss = noise2self_loss(watched, noisy, rng)
    counts, estimate = seen[0]
    blind = counts != noisy
    assert blind.mean() == pytest.approx(1 / 16)
    true = np.mean((estimate - truth)[blind] ** 2)
    noise = np.mean((noisy - truth)[blind] ** 2)
    # 36864 products of an error of about 0.4 and noise of 1: 1 % is 2.5 of their
    # standard errors
    assert loss.value - true == pytest.approx(noise, rel=0.01)


def test_the_blind_grid_does_not_ask_what_a_pixel_holds():
    seen = []

    def watch(counts):
        seen.append(counts)
        return counts

    for noisy in (np.zeros((16, 8, 8)), np.random.default_rng(0).random((16, 8, 8))):
        noise2self_loss(watch, noisy + 1, np.random.default_rng(7))
    # weights of 0.5 and 1, and sums in single precision
    assert np.allclose(seen[0], 1, rtol=1e-6)
    changed = seen[1] != (np.random.default_rng(0).random((16, 8, 8)) + 1).astype(
        np.float32
    )
    assert (changed.sum(axis=(1, 2)) == 4).all()
    assert (changed.sum(axis=0) == 1).all()


def test_what_cannot_be_judged_is_refused():
    stack, rng = np.ones((4, 8, 8)), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"shape \(4, 8, 8\), got \(3, 8, 8\)"):
        thinned_error(stack, stack[1:], fraction=0.8)
    with pytest.raises(ValueError, match="between 0 and 1, got 1"):
        thinned_error(stack, stack, fraction=1.0)
    with pytest.raises(ValueError, match="at least 6 frames"):
        umse_from_neighbours(stack, stack, seen_frames=1)
    few = umse(stack, stack, stack, stack)
    assert np.isnan(few.mse(rng).std_error)
    worse = umse(stack, stack, stack + 1, stack - 1)
    assert np.isnan(worse.psnr(1.0, rng).value)
