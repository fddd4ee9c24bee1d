"""What is left over, what is behind, and where directions disagree."""

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.base_models import fitted
from napari_lowdose.config import Compute, Plane
from napari_lowdose.denoiser import Denoised, Progress, exhausted
from napari_lowdose.fusion import disagreement
from napari_lowdose.noise import measure_noise
from napari_lowdose.particles.detection import detect
from napari_lowdose.trust.maps import (
    background_of,
    coverage,
    coverage_constant,
    disagreement_z,
    measuring_disagreement,
    noise_only_disagreement,
    recorded_again,
    residual,
)

WIDTH = 1.5


def by_direction(counts):
    """Denoise along time and along rows: a denoiser whose noise is known."""
    stack = counts.astype(np.float32)
    planes = {
        Plane.XT: ndimage.gaussian_filter1d(stack, WIDTH, axis=0),
        Plane.XY: ndimage.gaussian_filter1d(stack, WIDTH, axis=2),
    }
    yield Progress(1, 2)
    yield Progress(2, 2)
    fused = (planes[Plane.XT] + planes[Plane.XY]) / 2
    return Denoised(fused, planes, disagreement(planes))


def spread_by_noise() -> float:
    """How far `by_direction` disagrees per square root of brightness."""
    line = np.zeros(41)
    line[20] = 1
    kernel = ndimage.gaussian_filter1d(line, WIDTH)
    # only the central weight is common to both; two planes have half their difference
    return float(np.sqrt(np.sum(kernel**2) - kernel[20] ** 2))


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


def test_disagreement_by_noise_follows_the_brightness():
    truth = np.broadcast_to(np.linspace(1, 16, 64), (32, 64, 64)).astype(np.float32)
    measured = measure_noise(counted(truth))
    level = noise_only_disagreement(
        by_direction, truth, measured, rng=np.random.default_rng(0)
    )
    expected = spread_by_noise() * np.sqrt(truth)
    inside = np.s_[6:-6, :, 6:-6]
    # the median over voxels of a smoothed square lies some per cent below its mean
    np.testing.assert_allclose(level.at(truth)[inside], expected[inside], rtol=0.15)


def test_more_draws_tell_their_progress_as_one():
    truth = np.full((8, 32, 32), 4.0, np.float32)
    measured = measure_noise(counted(truth))
    steps = measuring_disagreement(
        by_direction, truth, measured, n_draws=3, rng=np.random.default_rng(0)
    )
    seen = []
    level = exhausted(steps, seen.append)
    assert [(step.done, step.total) for step in seen] == [(n, 6) for n in range(1, 7)]
    assert len(level.brightness) == 1  # one brightness is all there is


def test_noise_alone_does_not_stand_out_and_what_moves_does():
    truth = np.full((24, 48, 48), 5.0, np.float32)
    for t in range(24):  # faster than a filter along time can follow
        truth[t, 20:24, (3 * t) % 48 :][:, :4] += 20
    still = np.full_like(truth, 5.0)
    z = {}
    for name, scene in (("still", still), ("moving", truth)):
        noisy = counted(scene, seed=1)
        measured = measure_noise(counted(still))
        level = noise_only_disagreement(
            by_direction, still, measured, rng=np.random.default_rng(2)
        )
        seen = exhausted(by_direction(noisy))
        z[name] = disagreement_z(seen.disagreement, level.at(still))
    # the level is a median over all voxels; a mean of skewed values is above it
    assert np.median(z["still"]) == pytest.approx(0, abs=0.1)
    assert np.quantile(z["still"], 0.999) < 3
    assert z["moving"][:, 21:23].mean() > 3


def test_the_rim_where_networks_see_less_does_not_stand_out():
    truth = np.full((24, 48, 48), 5.0, np.float32)

    def worse_at_the_rim(counts):
        seen = yield from by_direction(counts)
        seen.disagreement[:, :, :6] *= 3
        return seen

    level = noise_only_disagreement(
        worse_at_the_rim,
        truth,
        measure_noise(counted(truth)),
        rng=np.random.default_rng(0),
    )
    seen = exhausted(worse_at_the_rim(counted(truth, seed=9)))
    z = disagreement_z(seen.disagreement, level.at(truth))
    # medians over 1152 voxels of a column, of which a fiftieth is independent
    assert abs(np.median(z[:, :, :6])) < 0.3


def test_one_direction_alone_is_refused():
    def alone(counts):
        yield Progress(1, 1)
        return Denoised(counts.astype(np.float32), {}, None)

    truth = np.full((8, 32, 32), 4.0, np.float32)
    with pytest.raises(ValueError, match="several directions"):
        noise_only_disagreement(
            alone, truth, measure_noise(counted(truth)), rng=np.random.default_rng(0)
        )


def test_coverage_holds_on_another_movie_of_its_kind():
    truth = np.full((24, 48, 48), 5.0, np.float32)
    shares = []
    constant = None
    for seed in (0, 1):
        seen = exhausted(by_direction(counted(truth, seed)))
        error = seen.fused - truth
        if constant is None:
            constant = coverage_constant(error, seen.disagreement, share=0.9)
        shares.append(coverage(error, seen.disagreement, constant=constant))
    # the quantile itself, and one voxel
    assert shares[0] == pytest.approx(0.9, abs=1e-4)
    # about 55,296 / 10 independent errors: 0.4 %
    assert shares[1] == pytest.approx(0.9, abs=0.016)


def test_the_constant_goes_with_the_errors():
    rng = np.random.default_rng(0)
    error, apart = rng.normal(size=(2, 8, 16, 16)).astype(np.float32)
    once = coverage_constant(error, np.abs(apart))
    # exact but for rounding
    assert coverage_constant(3 * error, np.abs(apart)) == pytest.approx(3 * once)


def test_a_base_model_tells_its_disagreement_on_noise(tiny_base, noisy):
    noisy = noisy[:12, :32, :32]
    denoiser, _ = fitted(tiny_base, noisy, Compute(threads=1, precision="float32"))
    seen = denoiser.denoised(noisy)
    level = noise_only_disagreement(
        denoiser.denoising,
        seen.fused,
        measure_noise(noisy),
        rng=np.random.default_rng(0),
    )
    z = disagreement_z(seen.disagreement, level.at(seen.fused))
    assert z.shape == noisy.shape
    # weights by chance smooth nothing: the draws differ from the movie by a part
    assert abs(np.median(z)) < 1
