from itertools import islice

import numpy as np
import pytest
import torch

from napari_lowdose.base_models.cubes import add_drawn_noise, crop, joined
from napari_lowdose.base_models.fit import BaseRun, finished, fitting_base
from napari_lowdose.base_models.movies import MoviePool, simulated_movie
from napari_lowdose.config import BaseTraining, Compute, LooksSettings

SMALL = BaseTraining(
    steps=40,
    steps_alone=20,
    steps_untold=28,
    rounds=2,
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
    pool, again = (MoviePool(4, seed=2, doses=(0.5, 50)) for _ in range(2))
    first = pool.draw(np.random.default_rng(0), 4, 12, 32)
    for name in ("noisy", "truth", "wiener"):
        assert getattr(first, name).shape == (4, 12, 32, 32)
    other = again.draw(np.random.default_rng(0), 4, 12, 32)
    assert torch.equal(first.noisy, other.noisy)
    rng = np.random.default_rng(1)
    for _ in range(8):
        later = pool.draw(rng, 4, 12, 32)
    # All four have been replaced by now: 36 crops at 8 a movie.
    assert pool._next == 8
    assert not torch.equal(first.noisy, later.noisy)


def test_all_parts_of_a_crop_are_cut_and_turned_alike():
    movie = simulated_movie(0, 0)
    whole = add_drawn_noise(movie, np.random.default_rng(0), (50, 50))
    rng = np.random.default_rng(1)
    cubes = joined([crop(whole, rng, (12, 32, 32)) for _ in range(6)])
    residual = (cubes.noisy - cubes.truth).flatten(1)
    # Of 12,000 voxels each, whose residuals are noise: a deviation within 15 %, where
    # the brightness is below three times the mean.
    assert (residual.std(1) < 2).all()
    closer = (cubes.wiener - cubes.truth).flatten(1).square().mean(1)
    assert (closer < residual.square().mean(1)).all()


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_a_deviation_of_one_at_the_mean(seed):
    rng = np.random.default_rng(seed)
    flat = np.ones((16, 48, 48), np.float32)
    cubes = add_drawn_noise(flat, rng, (0.5, 50))
    residual = (cubes.noisy - cubes.truth).numpy()
    # The unit is drawn 4 % off on purpose: 3.5 of its deviations; chance adds 1 %.
    assert residual.std() == pytest.approx(1, rel=0.16)
    assert abs(residual.mean()) < 4 / np.sqrt(16 * 48 * 48)


@pytest.mark.parametrize("seed", range(8))
def test_the_slope_tells_the_noise_at_another_brightness(seed):
    # Half dark, half bright, with a mean of 1.
    halves = np.ones((12, 32, 32), np.float32)
    halves[..., :16], halves[..., 16:] = 0.5, 1.5
    cubes = add_drawn_noise(halves, np.random.default_rng(seed), (5, 50))
    residual = (cubes.noisy - cubes.truth).numpy()
    bright = float(cubes.truth[..., 20].mean())
    found = residual[..., 16:].var() / residual.var()
    # The slope is drawn 15 % off on purpose, 2.5 of its deviations here, in slope times
    # brightness, which is 0.5 at most; chance adds 5 %.
    assert found == pytest.approx(1 + float(cubes.slope) * bright, abs=0.25)
    assert float(cubes.slope) >= 0


def test_training_learns_and_the_same_seed_gives_the_same_weights():
    runs = [BaseRun.start(SMALL) for _ in range(2)]
    for run in runs:
        assert [step.done for step in fitting_base(run)] == [*range(1, 41)]
    for one, other in zip(*(run.mean.parameters() for run in runs), strict=True):
        assert torch.equal(one, other)
    cubes = MoviePool(4, seed=9, doses=(1, 5)).draw(np.random.default_rng(0), 4, 12, 48)
    errors = []
    for network in (runs[0].mean, BaseRun.start(SMALL).mean):
        with torch.inference_mode():
            _, last = network(*cubes.shown)
        errors.append(float((last.fused - cubes.truth).square().mean()))
    # An untrained network's errors are those of random numbers.
    assert errors[0] < errors[1] / 2


@pytest.mark.parametrize("power", [0.0, 0.25])
def test_the_first_steps_are_alike_in_half_precision(power):
    found = []
    for precision in ("float32", "bfloat16"):
        compute = Compute(device="cpu", precision=precision, threads=1)
        training = SMALL.model_copy(update={"compute": compute, "power": power})
        steps = fitting_base(BaseRun.start(training))
        found.append([(step.fused_db, step.xy_db) for step in islice(steps, 3)])
    # bfloat16 keeps 8 bits: errors of 1 %, which is 0.04 dB, add up over layers.
    np.testing.assert_allclose(*found, atol=0.5)


def test_a_finished_model_knows_how_its_directions_errors_go_together():
    covariance = np.array(finished(BaseRun.start(SMALL), 0, {}).header.covariance)
    np.testing.assert_allclose(covariance, covariance.T)
    # Each cube's covariance is divided by its trace.
    assert np.trace(covariance) == pytest.approx(1)
    assert np.linalg.eigvalsh(covariance).min() >= -1e-9


def test_networks_do_without_the_wiener_filter_at_first():
    run = BaseRun.start(SMALL)
    network = run.network.second["time"]
    block = network.shuffle**2
    steps = fitting_base(run)
    shares = []
    for step in steps:
        shares.append(network.last.bias[-block:].detach().clone())
        if step.done > SMALL.steps_alone:
            break
    # Nothing pulls at its share while it is not there.
    assert torch.equal(shares[0], shares[SMALL.steps_alone - 1])
    assert not torch.equal(shares[0], shares[SMALL.steps_alone])


def assert_one_step_from(mean, run):
    # Adam changes no weight by more than its rate, which warms up over 50 steps: of a
    # round the first one takes a fiftieth. Single weights are several times as far from
    # their mean.
    for before, after in zip(mean, run.network.parameters(), strict=True):
        assert (after - before).abs().max() <= SMALL.learning_rate / 50


def test_gains_learn_once_the_traits_are_told_and_from_the_mean_weights():
    run = BaseRun.start(SMALL)
    say = run.network.first["time"].gains.say.weight
    for step in fitting_base(run):
        if step.done == SMALL.steps_untold:
            assert not say.any()
            mean = [weights.clone() for weights in run.mean.parameters()]
        if step.done == SMALL.steps_untold + 1:
            break
    assert say.any()
    assert_one_step_from(mean, run)


def test_a_round_begins_at_the_mean_of_the_one_before():
    run = BaseRun.start(SMALL)
    last = SMALL.steps_untold + (SMALL.steps - SMALL.steps_untold) // 2
    for step in fitting_base(run):
        if step.done == last:
            mean = [weights.clone() for weights in run.mean.parameters()]
        if step.done == last + 1:
            break
    assert_one_step_from(mean, run)


def test_training_goes_on_from_a_file_as_if_it_had_not_been_left():
    whole = BaseRun.start(SMALL)
    steps = [(s.done, s.fused_db) for s in fitting_base(whole)]
    first = SMALL.model_copy(update={"steps": 34, "rounds": 1})
    run = BaseRun.start(first)
    for _ in fitting_base(run):
        pass
    again = BaseRun.after(finished(run, run.done, {}), SMALL)
    later = [(s.done, s.fused_db) for s in fitting_base(again)]
    assert [done for done, _ in later] == [*range(35, 41)]
    # A logit that is lowered and raised again is off by rounding; the optimiser makes
    # more of that from step to step.
    np.testing.assert_allclose(later[:2], steps[34:36], atol=0.01)


def test_going_on_amid_a_round_draws_other_movies_than_it_began_with():
    weights = BaseRun.start(SMALL)
    errors = []
    for done in (34, 36):  # at the beginning of the last round, and in it
        run = BaseRun.after(finished(weights, done, {}), SMALL)
        errors.append(next(fitting_base(run)).fused_db)
    assert errors[0] != errors[1]


def test_going_on_needs_steps_and_networks_of_the_same_shape():
    base = finished(BaseRun.start(SMALL), 40, {})
    with pytest.raises(ValueError, match="more than the 40"):
        BaseRun.after(base, SMALL)
    wider = SMALL.model_copy(update={"network": LooksSettings(width=8), "steps": 50})
    with pytest.raises(ValueError, match="the model's own"):
        BaseRun.after(base, wider)
