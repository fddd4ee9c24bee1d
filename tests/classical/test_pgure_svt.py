"""Patches that move, and their singular values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_lowdose.classical import BASELINES, tune
from napari_lowdose.classical.casorati import Patches, shrunk
from napari_lowdose.classical.patch_matching import followed_motion
from napari_lowdose.errors import UnusableStack

SVT = BASELINES["pgure_svt"]


def texture(size=64, seed=0):
    """A frame that has no place twice, of unit deviation."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=(size, size))
    smooth = gaussian_filter(noise, 1.5)
    return (smooth / smooth.std()).astype(np.float32)


def test_a_single_patch_is_shrunk_as_by_its_singular_values():
    rng = np.random.default_rng(0)
    movie = rng.normal(3, 1, (15, 4, 4)).astype(np.float32)
    patches = Patches(movie.shape, 4, 15, 4)
    threshold = 0.4
    (estimate,) = shrunk(movie, patches, [threshold])
    mean = movie.mean()
    left, singular, right = np.linalg.svd(
        (movie - mean).reshape(15, 16).astype(np.float64), full_matrices=False
    )
    kept = np.maximum(singular - threshold * (4 + 15**0.5), 0)
    expected = (left * kept) @ right + mean
    # single precision of squares: a thousandth of the smallest that is kept
    np.testing.assert_allclose(estimate.reshape(15, 16), expected, atol=1e-4)


@pytest.mark.parametrize("ground", [-0.95, -0.53047895, 0.7])
def test_where_nothing_varies_the_estimate_is_a_number(ground):
    """Without a count, rounding alone is left, of which solvers may make nothing."""
    movie = np.random.default_rng(0).normal(size=(16, 64, 64)).astype(np.float32)
    movie[:, :40] = ground
    (estimate,) = shrunk(movie, Patches(movie.shape, 4, 15, 2), [1.0])
    assert np.isfinite(estimate).all()
    # single precision of sums of 240 values
    np.testing.assert_allclose(estimate[:, :36], ground, atol=1e-5)


def test_a_threshold_of_nothing_changes_nothing():
    movie = np.random.default_rng(0).poisson(5.0, (9, 21, 18)).astype(np.float32)
    estimate = SVT.denoise(movie, {"threshold": 1e-9})
    # float32 of counts up to 20, after two products of matrices
    np.testing.assert_allclose(estimate, movie, atol=2e-4)


def test_pure_noise_becomes_flat_above_its_largest_singular_value():
    noise = np.random.default_rng(0).normal(0, 1, (20, 32, 32)).astype(np.float32)
    (estimate,) = shrunk(noise, Patches(noise.shape, 4, 15, 2), [1.3])
    # patches of 240 values keep their mean: 1 / 240 of the variance, less by overlap
    assert estimate.var() < 1.2 / 240


def test_a_moving_texture_is_denoised_as_well_as_a_still_one():
    rng = np.random.default_rng(1)
    large = texture(96) * 6
    still = np.stack([large[16:64, 16:64]] * 16)
    moving = np.stack(
        [large[16 + t : 64 + t, 40 - 2 * t : 88 - 2 * t] for t in range(16)]
    )
    inside = np.s_[:, 14:-14, 14:-14]
    errors = []
    for scene in (still, moving):
        noisy = scene + rng.normal(0, 1, scene.shape)
        estimate = SVT.denoise(noisy, {"threshold": 1.0})
        errors.append(np.mean((estimate - scene)[inside] ** 2))
    # Lowering one singular value by the edge of the noise's costs its square, shared
    # by all values of a patch: no more than that is lost where nothing moves.
    assert errors[0] < (16**0.5 + 15**0.5) ** 2 / (16 * 15)
    # places at the rim leave the frame, so that some are followed for a part only
    assert errors[1] < 1.5 * errors[0]


def test_whole_pixels_of_motion_are_found():
    frame = texture(64) * 6
    movie = np.stack([np.roll(frame, (3 * t, -2 * t), (0, 1)) for t in range(4)])
    noisy = movie + np.random.default_rng(0).normal(0, 1, movie.shape)
    motion = followed_motion(noisy)
    inside = np.s_[:, 12:-12, 12:-12]
    # a block of 11 px decides by 25 times the noise; nearly all must be right
    ahead = (motion.forward[:-1][inside] == (3, -2)).all(axis=-1)
    back = (motion.backward[1:][inside] == (-3, 2)).all(axis=-1)
    assert ahead.mean() > 0.99
    assert back.mean() > 0.99


@pytest.mark.parametrize("dose", [0.2, 3.0])
def test_nothing_moves_in_pure_noise(dose):
    rng = np.random.default_rng(0)
    noise = ((rng.poisson(dose, (6, 96, 96)) - dose) / dose**0.5).astype(np.float32)
    motion = followed_motion(noise)
    moved = 0.0 if motion is None else (motion.forward != 0).any(axis=-1).mean()
    # the best of 225 places is better by 5 deviations in one block of a thousand
    assert moved < 1e-3


def test_any_number_of_threads_gives_the_same():
    movie = np.random.default_rng(0).poisson(2.0, (16, 24, 24))
    before = torch.get_num_threads()
    estimates = []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            estimates.append(SVT.denoise(movie, {"threshold": 0.7}))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(estimates[0], estimates[1])
    np.testing.assert_array_equal(estimates[0], estimates[2])


@pytest.mark.parametrize("shape", [(5, 1, 1), (5, 3, 40), (40, 9, 5)])
def test_each_voxel_is_in_a_patch(shape):
    counts = np.random.default_rng(0).poisson(3.0, shape)
    assert np.isfinite(SVT.denoise(counts, {"threshold": 1.0})).all()


def test_without_truth_the_risk_decides():
    counts = np.random.default_rng(0).poisson(3.0, (10, 24, 24))
    tuned = tune(SVT, counts)
    assert tuned.criterion.startswith("PGURE")
    # a flat scene is best left to the means of patches
    assert tuned.settings["threshold"] >= 1


def test_too_few_frames_are_refused():
    with pytest.raises(UnusableStack, match="at least 5 frames"):
        tune(SVT, np.ones((4, 8, 8)))
