import json

import numpy as np
import pandas as pd
import pytest

from napari_lowdose.benchmarks.trust import (
    CountedMovie,
    Kind,
    area_under_curve,
    calibrating,
    calibration_movies,
    fit_calibrations,
    kinds,
    measure_trust,
    reliability,
    ridge_logistic,
    tempered,
    unseen_movies,
)
from napari_lowdose.benchmarks.trust.movies import DOSES
from napari_lowdose.config import Compute
from napari_lowdose.particles import Source
from napari_lowdose.particles.calibration import GROUPS

ONE_CORE = Compute(threads=1, precision="float32")


def spot(frame, y, x):
    rows, columns = np.mgrid[:48, :48]
    frame += 8 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)


@pytest.fixture(scope="module")
def movie():
    """Give five frames: a particle that goes after two, and a bump of the film."""
    truth = np.ones((5, 48, 48), np.float32)
    spot(truth[0], 20, 12)
    spot(truth[1], 20, 12)
    for frame in truth:
        spot(frame, 34, 34)
    particles = pd.DataFrame(
        {"frame": [0, 1], "id": 0, "y": 20.0, "x": 12.0, "radius": 3.0, "visible": True}
    )
    return CountedMovie("two", truth, truth, particles)


def at(frame, y, x):
    row = {"frame": [frame], "y": [y], "x": [x], "sigma": 2.0, "response": 4.0}
    return pd.DataFrame(row)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ((1, 21.0, 13.0), Kind.PARTICLE),
        ((2, 20.0, 12.0), Kind.GHOST),
        ((0, 34.0, 34.0), Kind.STRUCTURE),
        ((0, 10.0, 40.0), Kind.PHANTOM),
        ((0, 2.0, 12.0), Kind.RIM),
    ],
)
def test_each_spot_is_what_it_truly_is(movie, place, kind):
    assert kinds(at(*place), movie) == [kind]


def test_the_fit_finds_the_weights_that_the_outcomes_were_drawn_by():
    rng = np.random.default_rng(0)
    columns = np.column_stack([np.ones(40_000), rng.normal(size=(40_000, 2))])
    weights = np.array([-1.0, 0.5, -2.0])
    outcome = rng.random(40_000) < 1 / (1 + np.exp(-columns @ weights))
    # information per spot about 0.1: known to 1 / sqrt(4000) = 0.016 each
    assert ridge_logistic(columns, outcome) == pytest.approx(weights, abs=0.06)


def test_outcomes_that_can_be_told_apart_exactly_give_finite_weights():
    columns = np.column_stack([np.ones(50), np.arange(50) - 24.5])
    weights = ridge_logistic(columns, columns[:, 1] > 0)
    assert np.isfinite(weights).all()
    assert weights[1] > 0


def test_a_fit_is_as_sure_as_it_may_be_on_movies_that_it_has_not_seen():
    """Spots of a movie share what is chance between movies."""
    rng = np.random.default_rng(0)

    def drawn(n_movies: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        movies = np.repeat(np.arange(n_movies), 100)
        # of no meaning, but alike in a movie: a fit to few movies finds one in it
        own = rng.normal(size=(n_movies, 12))[movies]
        luck = rng.normal(size=n_movies)[movies]
        columns = np.column_stack([np.ones(len(movies)), own])
        return columns, rng.random(len(movies)) < 1 / (1 + np.exp(-luck)), movies

    columns, outcome, movies = drawn(30)
    weights = ridge_logistic(columns, outcome)
    careful = tempered(weights, columns, outcome, movies)
    other, true, _ = drawn(300)
    # the log-likelihood of what has not been seen
    sure, fair = (
        np.logaddexp(0, -np.where(true, 1, -1) * (other @ w)).mean()
        for w in (weights, careful)
    )
    assert fair < sure
    few = np.zeros(len(outcome), np.int64)
    np.testing.assert_array_equal(tempered(weights, columns, outcome, few), weights)


def test_the_area_is_the_chance_that_a_true_one_has_more():
    value = np.array([3.0, 1.0, 2.0, 2.0, np.nan])
    true = np.array([True, False, True, False, False])
    # 3 beats three of them, 2 beats 1 and nan and ties with 2
    assert area_under_curve(value, true, ~true) == pytest.approx(5.5 / 6)


def test_chances_that_hold_are_reliable_and_others_are_not():
    rng = np.random.default_rng(0)
    chance = rng.random(40_000)
    movie = np.arange(40_000) % 50
    found = reliability(chance, rng.random(40_000) < chance, movie)
    # ten tests of standard errors: beyond 4 of them once in 1,600 times
    assert (np.abs(found["said"] - found["true"]) < 4 * found["std"]).all()
    half = reliability(chance, rng.random(40_000) < chance / 2, movie)
    assert (np.abs(half["said"] - half["true"]) > 4 * half["std"]).iloc[2:].all()


def test_movies_that_are_right_or_wrong_as_a_whole_count_once_each():
    rng = np.random.default_rng(0)
    movie = np.repeat(np.arange(400), 50)
    outcome = (rng.random(400) < 0.55)[movie]
    found = reliability(np.full(len(movie), 0.55), outcome, movie)
    assert found["movies"].tolist() == [400]
    # that of 400 outcomes, which is itself known to 1 / sqrt(800) = 4 %
    assert found["std"].item() == pytest.approx(np.sqrt(0.55 * 0.45 / 400), rel=0.12)


def test_movies_are_the_same_each_time_and_others_for_the_test():
    one, again = (next(calibration_movies(3, frames=4, size=32)) for _ in range(2))
    np.testing.assert_array_equal(one.noisy, again.noisy)
    unseen = next(unseen_movies(float(one.truth.mean()), 1, frames=4, size=32))
    assert (unseen.truth != one.truth).any()


def test_doses_of_calibration_cover_the_range_also_in_part():
    doses = [m.truth.mean() for m in calibration_movies(8, frames=2, size=16)]
    low, high = np.log(DOSES)
    shares = np.sort((np.log(doses) - low) / (high - low))
    # steps of the golden section leave no gap wider than 1 / 0.618^2 of the mean one
    assert np.diff(shares, prepend=0, append=1).max() < 2.62 / 8


def test_a_calibration_is_written_with_all_it_was_made_of(tmp_path):
    path = tmp_path / "suspicion.json"
    settings = {"n_movies": 1, "frames": 24, "size": 128, "compute": ONE_CORE}
    assert len(list(calibrating(path, model="fast", **settings))) == 1
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["about"]["n_std"] == 5
    for source in Source:
        some = content["calibrations"][source.value]
        assert len(some) == 2 ** len(GROUPS)
        assert np.isfinite(some[-1]["weights"]).all()


def test_movies_without_phantoms_calibrate_nothing():
    spots = pd.DataFrame({"kind": [Kind.PARTICLE, Kind.RIM]})
    columns = [name for some in GROUPS.values() for name in some] + ["n_std", "sigma"]
    with pytest.raises(ValueError, match="expected phantoms and others"):
        fit_calibrations(spots.assign(**dict.fromkeys(columns, 1.0)))


def test_trust_is_measured_in_rows_that_can_be_read():
    rows = list(
        measure_trust(
            "fast",
            n_movies=1,
            frames=16,
            size=96,
            large=(4, 64),
            n_particles=6,
            n_trials=100,
            compute=ONE_CORE,
        )
    )
    assert all({"what", "rate", "unit"} <= set(row) for row in rows)
    assert sum(row["what"].startswith("AUC") for row in rows) == 6
    assert rows[-1]["rate"] > 0
