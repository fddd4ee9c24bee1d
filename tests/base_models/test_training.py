import numpy as np
import pytest
import torch

from napari_lowdose.base_models.cubes import add_drawn_noise
from napari_lowdose.base_models.fit import BaseRun, finished, fitting_base
from napari_lowdose.base_models.movies import MoviePool, simulated_movie
from napari_lowdose.config import BaseTraining, Compute, LooksSettings

SMALL = BaseTraining(
    steps=30,
    voxels=20_000,
    movies=6,
    learning_rate=5e-3,
    network=LooksSettings(width=4, depth=1),
    compute=Compute(device="cpu", precision="float32", threads=1),
)


def test_the_same_number_gives_the_same_movie_and_others_differ():
    np.testing.assert_array_equal(simulated_movie(3, 1), simulated_movie(3, 1))
    assert simulated_movie(3, 1).shape != simulated_movie(3, 2).shape


@pytest.mark.parametrize("number", range(4))
def test_movies_are_brightness_with_a_mean_of_one(number):
    movie = simulated_movie(0, number)
    assert movie.dtype == np.float32
    assert movie.min() >= 0
    # float32 sums of some 500,000 values
    assert movie.mean() == pytest.approx(1, rel=1e-3)


def test_a_pool_gives_crops_of_other_movies_and_renews_itself():
    pool, again = (MoviePool(4, seed=2) for _ in range(2))
    first = pool.draw(np.random.default_rng(0), 4, 12, 32)
    assert first.shape == (4, 12, 32, 32)
    np.testing.assert_array_equal(
        first, again.draw(np.random.default_rng(0), 4, 12, 32)
    )
    rng = np.random.default_rng(1)
    for _ in range(8):
        later = pool.draw(rng, 4, 12, 32)
    # All four have been replaced by now: 36 crops at 8 a movie.
    assert pool._next == 8
    assert not np.array_equal(first, later)


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_a_deviation_of_one_at_the_mean(seed):
    rng = np.random.default_rng(seed)
    flat = np.ones((3, 16, 48, 48), np.float32)
    cubes = add_drawn_noise(flat, rng, (0.5, 50))
    residual = (cubes.noisy - cubes.truth).numpy()
    # The unit is drawn 4 % off on purpose: 3.5 of its deviations; chance adds 1 %.
    np.testing.assert_allclose(residual.std((1, 2, 3)), 1, rtol=0.16)
    assert np.abs(residual.mean((1, 2, 3))).max() < 4 / np.sqrt(16 * 48 * 48)


def test_the_slope_tells_the_noise_at_another_brightness():
    rng = np.random.default_rng(0)
    # Half dark, half bright, with a mean of 1.
    halves = np.ones((24, 12, 32, 32), np.float32)
    halves[..., :16], halves[..., 16:] = 0.5, 1.5
    cubes = add_drawn_noise(halves, rng, (5, 50))
    residual = (cubes.noisy - cubes.truth).numpy()
    bright = cubes.truth[..., 20].mean((1, 2)).numpy()
    slope = cubes.slope[:, 0, 0, 0].numpy()
    found = residual[..., 16:].var((1, 2, 3)) / residual.var((1, 2, 3))
    # The slope is drawn 15 % off on purpose; of 24 the worst is some 3 deviations off
    # in slope times brightness, which is 0.5 at most.
    np.testing.assert_allclose(found, 1 + slope * bright, atol=0.3)
    assert (slope == 0).any()
    assert (slope > 0).any()


def test_training_learns_and_the_same_seed_gives_the_same_weights():
    runs = [BaseRun.start(SMALL) for _ in range(2)]
    steps = [list(fitting_base(run)) for run in runs]
    first, last = steps[0][0], np.mean([step.fused_db for step in steps[0][-8:]])
    # An untrained network's errors are those of random numbers; 30 steps halve them.
    assert last < first.fused_db - 3
    for one, other in zip(*(run.mean.parameters() for run in runs), strict=True):
        assert torch.equal(one, other)


def test_a_finished_model_knows_how_its_directions_errors_go_together():
    covariance = np.array(finished(BaseRun.start(SMALL), 0, {}).header.covariance)
    np.testing.assert_allclose(covariance, covariance.T)
    # Each cube's covariance is divided by its trace.
    assert np.trace(covariance) == pytest.approx(1)
    assert np.linalg.eigvalsh(covariance).min() >= -1e-9
