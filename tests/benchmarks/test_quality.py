import math
import warnings

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lowdose.benchmarks import quality
from napari_lowdose.benchmarks.quality import (
    RECIPES,
    baselines,
    best_baseline,
    development_set,
    dose_response,
    flat_movies,
    judge,
    judge_flat,
    measure_denoise,
    photometry,
)
from napari_lowdose.benchmarks.quality.honesty import Flat
from napari_lowdose.benchmarks.quality.recorded import DATA, MissingMovie
from napari_lowdose.benchmarks.quality.smoothing import best_smoothing, smoothed
from napari_lowdose.cli.benchmark import _line
from napari_lowdose.metrics.reference import mse, psnr
from napari_lowdose.planes import Plane


def blurred(stack):
    """Stand in for a denoiser: Gaussians of three directions, and of all."""
    stack = stack.astype(np.float32)
    planes = {Plane.XY: (0, 2, 2), Plane.XT: (2, 0, 2), Plane.YT: (2, 2, 0)}
    alone = {plane: gaussian_filter(stack, width) for plane, width in planes.items()}
    return gaussian_filter(stack, (1.5, 1.3, 1.3)), alone


@pytest.fixture(scope="module")
def stacks():
    return {stack.name: stack for stack in development_set(small=True)}


def test_the_set_is_the_same_each_time_and_has_all_recipes(stacks):
    again = {stack.name: stack for stack in development_set(small=True)}
    assert [*again] == [*stacks] == [recipe.name for recipe in RECIPES]
    for name, stack in stacks.items():
        np.testing.assert_array_equal(again[name].noisy, stack.noisy)
        np.testing.assert_array_equal(again[name].truth, stack.truth)


def test_seeds_are_those_that_trainings_leave_alone():
    seeds = [recipe.settings.seed for recipe in RECIPES]
    assert min(seeds) >= 9000
    assert len(set(seeds)) == len(seeds)


def test_the_truth_is_what_is_counted_on_average(stacks):
    for stack in stacks.values():
        quanta = (stack.noisy - stack.offset) / stack.gain
        # Poisson and readout noise, four standard errors
        error = math.sqrt(stack.electrons.mean() / stack.noisy.size)
        expected = (stack.truth.mean() - stack.offset) / stack.gain
        assert quanta.mean() == pytest.approx(expected, abs=4 * error)


def test_missing_real_movies_are_told_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(quality.stacks, "RECIPES", ())
    with pytest.warns(MissingMovie, match="goes without it") as told:
        assert list(development_set(data=tmp_path)) == []
    assert len(told) == 2


@pytest.mark.skipif(not DATA.exists(), reason="the real movies are not here")
def test_real_movies_have_counts_whose_mean_is_the_truth(monkeypatch):
    monkeypatch.setattr(quality.stacks, "RECIPES", ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingMovie)
        real = list(development_set())
    for stack in real:
        assert stack.truth.min() > 0
        # four standard errors of the mean of Poisson counts
        error = math.sqrt(stack.truth.mean() / stack.truth.size)
        assert stack.noisy.mean() == pytest.approx(stack.truth.mean(), abs=4 * error)


@pytest.mark.parametrize("temporal", [False, True])
def test_the_best_smoothing_leaves_the_least_error(stacks, temporal):
    stack = stacks["slow catalyst"]
    best = best_smoothing(stack.noisy, stack.truth, temporal=temporal)
    estimate = smoothed(stack.noisy, best)
    assert mse(estimate, stack.truth) == pytest.approx(best.mse, rel=1e-4)  # float32
    for width in (0.5, 1.0, 2.0, 4.0):
        other = gaussian_filter(stack.noisy, (width * temporal, width, width))
        # the widths tried are a fourth of an octave apart
        assert mse(other, stack.truth) > 0.99 * best.mse


def test_smoothing_is_a_gaussian_blur(stacks):
    stack = stacks["cells"].noisy
    found = smoothed(stack, quality.smoothing.Smoothing(2.0, 1.5, 0.0))
    expected = gaussian_filter(stack, (1.5, 2.0, 2.0), truncate=8.0)
    # the sampled Gaussian differs from the continuous one by 1e-4 at 1.5 px
    np.testing.assert_allclose(found, expected, atol=1e-3 * stack.max())


def test_baselines_improve_on_the_noisy_stack(stacks):
    stack = stacks["slow catalyst"]
    reached = baselines(stack)
    assert set(reached) == {
        "gaussian 2-D", "gaussian 3-D", "bilateral", "nonlocal_means", "wiener",
    }  # fmt: skip
    assert min(one.psnr for one in reached.values()) > psnr(stack.noisy, stack.truth)
    # Our own filter is told beside the others, not among them.
    del reached["wiener"]
    assert best_baseline(reached)[1] == max(one.psnr for one in reached.values())


def test_the_truth_is_judged_perfect(stacks):
    stack = stacks["blinking catalyst"]
    row = judge(stack, stack.truth, {Plane.XY: stack.noisy})
    assert row["psnr"] == np.inf
    slopes = ("slope", "slope of truth", "slope of regions")
    for name in (*slopes, "mean ratio", "contrast"):
        assert row[name] == pytest.approx(1)
    assert (row["phantoms"], row["flicker"], row["fade rate"]) == (0, 0, 0)
    assert row["highest recall"] == 1
    assert row["late share"] == 0


def test_slopes_tell_too_flat_from_too_lively():
    rng = np.random.default_rng(0)
    truth = rng.normal(10, 2, (4, 50, 50))
    flat = photometry(10 + 0.5 * (truth - 10), truth)
    assert flat["slope"] == pytest.approx(0.5, abs=1e-9)
    assert flat["slope of truth"] == pytest.approx(2, abs=1e-9)
    lively = photometry(truth + rng.normal(0, 2, truth.shape), truth)
    # four standard errors of a slope from 10,000 values
    assert lively["slope"] == pytest.approx(1, abs=0.04)
    assert lively["slope of truth"] == pytest.approx(0.5, abs=0.04)


def test_what_is_sharp_alone_is_not_missed_in_regions():
    rng = np.random.default_rng(0)
    rough = np.kron(rng.normal(0, 1, (2, 6, 6)), np.ones((8, 8, 8)))
    sharp = rng.normal(0, 1, rough.shape)
    found = photometry(10 + rough, 10 + rough + sharp)
    # half of the variance is lost, but a 512th of that of the regions' means
    assert found["slope"] == pytest.approx(0.5, abs=0.1)
    assert found["slope of regions"] == pytest.approx(1, abs=0.02)


def test_a_flat_estimate_has_no_false_particle_and_noise_itself_has_some():
    for movie in flat_movies(4, shape=(16, 96, 96)):
        level = np.full_like(movie.noisy, movie.noisy.mean())
        assert judge_flat(movie, level) == {"std share": 0, "false particles": 0}
        itself = judge_flat(movie, movie.noisy)
        assert itself["std share"] == pytest.approx(1)
        # the response to a spot is noisier, by the square root of two, than the best
        # filter, for which the threshold is
        assert itself["false particles"] > 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_spot_that_counts_would_prove_is_a_false_particle(sign):
    noisy = np.random.default_rng(0).poisson(4.0, (8, 64, 64)).astype(np.float32)
    y, x = np.mgrid[:64, :64]
    bell = np.exp(-((y - 30) ** 2 + (x - 30) ** 2) / (2 * 2.5**2))
    for height, n in [(0.5, 0), (2.5, 1)]:
        # pi s^2 a^2 / b is 1.2 and 31; noise in 20 movies reaches 22.3
        fused = np.full(noisy.shape, 4.0)
        fused[3] += sign * height * bell
        assert judge_flat(Flat("", noisy, 4.0), fused)["false particles"] == n


def test_linear_filters_double_with_the_dose():
    ratio = dose_response(blurred, RECIPES[0], small=True)
    # some 80 particle-frames, each known to a fifth
    assert ratio == pytest.approx(2, abs=0.15)


def test_the_benchmark_covers_the_set_and_sums_up(monkeypatch):
    few = (RECIPES[0], RECIPES[3], RECIPES[7])
    monkeypatch.setattr(quality.stacks, "RECIPES", few)
    names = ("gaussian 2-D", "gaussian 3-D")
    rows = list(measure_denoise(blurred, small=True, n_flat=4, names=names))
    whats = [row["what"] for row in rows]
    assert whats[:5] == [
        "slow catalyst", "slow catalyst, particles", "blinking catalyst",
        "blinking catalyst, particles", "pn junction",
    ]  # fmt: skip
    assert all(what.startswith("flat, ") for what in whats[5:9])
    assert whats[-5:] == [
        "over baseline", "over plane", "phantoms over xy's", "flicker over xy's",
        "delay",
    ]  # fmt: skip
    gains = [row["over baseline"] for row in rows if "over baseline" in row]
    total = next(row for row in rows if row["what"] == "over baseline")
    assert total["rate"] == pytest.approx(np.mean(gains))
    assert total["least"] == min(gains)
    for row in rows:
        assert {"what", "rate", "unit"} <= set(row)
        assert row["what"] in _line(row)


def test_a_row_is_a_line_with_all_its_numbers():
    row = {"what": "cells", "rate": 31.0, "unit": "dB", "slope": 0.98, "baseline": "b"}
    assert _line(row).split() == [
        "cells",
        "31",
        "dB",
        "slope",
        "0.98,",
        "baseline",
        "b",
    ]
