import numpy as np
import pytest

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import (
    Noise,
    Poisson,
    Readout,
    add_noise,
    looks_counted,
    noise_share,
    thin,
)
from napari_lowdose.stack import Stack

N = 400_000
READOUT = Readout(gain=2.0, offset=10.0, readout_std=1.5)


def ramp() -> Stack:
    """Brightness in ten levels of N / 10 pixels each."""
    levels = np.repeat(np.arange(1.0, 11.0), N // 10)
    return Stack(levels.reshape(10, 200, 200))


def test_variance_follows_the_mean_as_the_detector_says():
    """Known answer 1: slope g, intercept sigma^2 - g mu."""
    noise = Noise(
        dose=0, stages=(Poisson(), Readout(gain=1.7, offset=100, readout_std=9))
    )
    noisy, truth = add_noise(ramp(), noise)
    levels = noisy.read().reshape(10, -1)
    line = np.polyfit(levels.mean(axis=1), levels.var(axis=1), 1)
    # variances near 90 from 40,000 samples are known to 0.64; over means that spread
    # by 4.9, ten of them give a slope to 0.042 and a variance in the dark to 0.4
    assert line[0] == pytest.approx(1.7, abs=3 * 0.042)
    assert np.polyval(line, 100) == pytest.approx(9**2, abs=3 * 0.4)
    np.testing.assert_allclose(truth.read()[0].mean(), 1.7 + 100, rtol=1e-6)


@pytest.mark.parametrize("stages", [(Poisson(),), (READOUT,), (Poisson(), READOUT)])
def test_truth_is_the_mean_of_the_noisy_stack(stages):
    noise = Noise(dose=3.0, stages=stages)
    noisy, truth = add_noise(ramp(), noise)
    difference = noisy.read() - truth.read()
    # five standard errors of a mean of N pixels
    assert abs(difference.mean()) < 5 * difference.std() / np.sqrt(N)


def test_dose_is_the_mean_of_expected_electrons():
    amplifier = Readout(gain=5.0, offset=7.0)
    _, truth = add_noise(ramp(), Noise(dose=0.3, stages=(Poisson(), amplifier)))
    # the truth is stored in float32
    assert (truth.read().mean(dtype=float) - 7) / 5 == pytest.approx(0.3, rel=1e-5)


def test_dose_zero_keeps_the_stack_as_expected_electrons():
    _, truth = add_noise(ramp(), Noise(dose=0))
    np.testing.assert_array_equal(truth.read(), ramp().read())


def test_same_seed_same_noise_and_the_recipe_tells_it():
    first, _ = add_noise(ramp(), Noise(seed=4))
    again, _ = add_noise(ramp(), Noise(seed=4))
    other, _ = add_noise(ramp(), Noise(seed=5))
    np.testing.assert_array_equal(first.read(), again.read())
    assert not np.array_equal(first.read(), other.read())
    assert first.recipe[-1]["seed"] == 4


def test_huge_means_neither_overflow_nor_wrap():
    noisy, truth = add_noise(ramp(), Noise(dose=1e9))
    # Poisson deviates by the square root of the mean: 2e-5 at 5e8; six of those
    np.testing.assert_allclose(noisy.read(), truth.read(), rtol=6 * 1e-4)


@pytest.mark.parametrize(
    ("brightness", "said"), [(-1.0, "got -1"), (np.nan, "NaN"), (0.0, "every value")]
)
def test_impossible_brightness_is_refused(brightness, said):
    stack = np.zeros((2, 4, 4))
    stack[0, 0, 0] = brightness
    with pytest.raises(UnusableStack, match=said):
        add_noise(Stack(stack), Noise())


def test_thinned_halves_are_independent_poisson():
    """Known answer 4: means p and 1 - p, correlation zero."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(2.0, N)
    first, second = thin(counts, 0.3, rng=rng)
    # three standard errors
    assert first.mean() == pytest.approx(0.6, abs=3 * np.sqrt(0.6 / N))
    assert second.mean() == pytest.approx(1.4, abs=3 * np.sqrt(1.4 / N))
    assert abs(np.corrcoef(first, second)[0, 1]) < 3 / np.sqrt(N)
    np.testing.assert_array_equal(first + second, counts)


def test_thinning_undoes_gain_and_offset():
    rng = np.random.default_rng(0)
    electrons = rng.poisson(5.0, 1000)
    first, second = thin(electrons * 2.5 + 40, 0.5, gain=2.5, offset=40, rng=rng)
    np.testing.assert_array_equal(first + second, electrons)


@pytest.mark.parametrize("dose", [0.3, 1, 20])
def test_counts_are_recognised(movie, dose):
    assert looks_counted(movie(dose)[0].read())


@pytest.mark.parametrize(
    "noise",
    [
        Noise(dose=5, stages=(Readout(),)),
        Noise(dose=5, stages=(Poisson(), Readout())),
        Noise(dose=5, stages=(Poisson(), Readout(gain=4, readout_std=0))),
    ],
)
def test_analogue_or_amplified_data_are_not_taken_for_counts(clean, noise):
    assert not looks_counted(add_noise(clean, noise)[0].read())


def test_noise_share_is_the_noise_over_all_deviation(clean):
    noisy, truth = add_noise(clean, Noise(dose=1))
    expected = (noisy.read() - truth.read()).std() / noisy.read().std()
    # moving particles add to the difference of frames
    assert noise_share(noisy.read()) == pytest.approx(expected, rel=0.05)
    assert noise_share(noisy.read()[:1]) == pytest.approx(expected, rel=0.1)
