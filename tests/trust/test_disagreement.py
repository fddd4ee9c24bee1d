"""Where directions disagree, by noise and by what moves."""

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.base_models import fitted
from napari_lowdose.config import Compute, Plane
from napari_lowdose.denoiser import Denoised, Progress, exhausted
from napari_lowdose.fusion import disagreement
from napari_lowdose.noise import measure_noise
from napari_lowdose.trust.disagreement import (
    coverage,
    coverage_constant,
    disagreement_z,
    measuring_disagreement,
    noise_only_disagreement,
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


def counted(truth, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(truth).astype(np.float32)


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
