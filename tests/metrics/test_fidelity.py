"""Scores against the truth whose answers can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lowdose.metrics import (
    bias_map,
    data_range,
    poisson_deviance,
    rsd,
    score,
    scores_of,
    slope_and_intercept,
)


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).uniform(1, 5, (4, 64, 64))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_deviance_is_twice_the_loss_of_likelihood(rng):
    truth = np.full((1, 64, 64), 2.0)
    found = poisson_deviance(2 * truth, truth, rng=rng)
    assert found.value == pytest.approx(2 * (2 * np.log(0.5) + 2))
    assert poisson_deviance(truth, truth, rng=rng).value == 0
    scaled = poisson_deviance(
        5 * 2 * truth + 7, 5 * truth + 7, rng=rng, gain=5, offset=7
    )
    assert scaled.value == pytest.approx(found.value)


def test_deviance_has_no_infinity_and_the_truth_is_best(truth, rng):
    assert np.isfinite(poisson_deviance(0 * truth - 1, truth, rng=rng).value)
    for factor in (0.9, 1.1):
        assert poisson_deviance(factor * truth, truth, rng=rng).value > 0


def test_the_bias_map_is_what_is_always_too_much(truth):
    pattern = np.random.default_rng(1).normal(size=truth.shape[1:])
    flicker = np.array([1, -1, 2, -2])[:, None, None]
    # sums of values near 5 in double precision
    np.testing.assert_allclose(
        bias_map(truth + pattern + flicker, truth), pattern, atol=1e-12
    )


def test_a_line_over_the_truth_is_found_despite_noise_and_offset(truth, rng):
    noise = np.random.default_rng(2).normal(size=truth.shape)
    dark = 1e4
    estimate = 0.8 * (truth + dark) - 3 + noise
    slope, intercept = slope_and_intercept(estimate, truth + dark, rng)
    error = 1 / (truth.std() * np.sqrt(truth.size))
    assert slope.value == pytest.approx(0.8, abs=3 * error)
    # 64 tiles tell an error to 9 %; three of them
    assert slope.std_error == pytest.approx(error, rel=0.27)
    assert intercept.value == pytest.approx(-3, abs=3 * intercept.std_error)


def test_scores_with_errors_are_the_scores_of_the_table(truth):
    estimate = truth + np.random.default_rng(3).normal(size=truth.shape)
    plain, found = score(estimate, truth), scores_of(estimate, truth=truth)
    for name, value in plain.items():
        # the same sums in another order
        assert found[name].value == pytest.approx(value, rel=1e-9)
        assert found[name].std_error > 0
    assert found["mse"].std_error == pytest.approx(np.sqrt(2 / truth.size), rel=0.27)
    # d(10 log10 e) = 4.34 de / e, of the same tiles drawn otherwise
    relative = found["mse"].std_error / found["mse"].value
    assert found["psnr"].std_error == pytest.approx(4.34 * relative, rel=0.15)


def test_relative_deviation_of_poisson_counts_is_one_over_their_root():
    counts = np.random.default_rng(4).poisson(100, (20, 40, 40)) + 50
    found = rsd(counts, (5, 35, 5, 35), offset=50.0)
    # a deviation of 900 pixels is known to 2.4 %, of 20 frames to 0.5 %
    assert found.value == pytest.approx(10, abs=3 * 0.053)
    assert found.std_error == pytest.approx(0.053, rel=0.5)
    assert rsd(np.full((2, 8, 8), 3.0), (0, 8, 0, 8)).value == 0


def test_a_box_that_cannot_be_flat_is_refused(truth):
    for box in [(0, 65, 0, 10), (5, 5, 0, 10), (0, 1, 0, 1)]:
        with pytest.raises(ValueError, match="64 x 64"):
            rsd(truth, box)
    with pytest.raises(ValueError, match="above the offset"):
        rsd(truth, (0, 8, 0, 8), offset=9.0)
    with pytest.raises(ValueError, match="with contrast"):
        data_range(np.ones((1, 4, 4)))
