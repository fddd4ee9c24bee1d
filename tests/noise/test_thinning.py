import numpy as np
import pytest

from napari_lowdose.noise import (
    Noise,
    Poisson,
    Readout,
    add_noise,
    looks_counted,
    noise_share,
    thin,
)

N = 400_000


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


def test_large_stacks_are_split_piece_by_piece_to_the_same_parts():
    counts = np.random.default_rng(0).poisson(3.0, (5, 700, 700))
    share = np.linspace(0.2, 0.9, 5)[:, None, None]
    first, second = thin(counts, share, rng=np.random.default_rng(1))
    whole = np.random.default_rng(1).binomial(counts, share)
    np.testing.assert_array_equal(first, whole)
    np.testing.assert_array_equal(first + second, counts)
    assert first.dtype == second.dtype == np.float32


def parts(electrons, noise, share, gain=2.0, offset=30.0):
    rng = np.random.default_rng(0)
    counts = gain * (rng.poisson(electrons, N) + rng.normal(0, noise, N)) + offset
    split = thin(
        counts, share, gain=gain, offset=offset, readout_std=gain * noise, rng=rng
    )
    return (counts - offset) / gain, *split


@pytest.mark.parametrize("electrons", [0.0, 0.3, 2.0, 30.0])
@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5, 2.0])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_parts_with_readout_noise_are_unbiased(electrons, noise, share):
    counted, first, second = parts(electrons, noise, share)
    # their sum is what was recorded, to single precision
    np.testing.assert_allclose(first + second, counted, atol=1e-5)
    for part, portion in ((first, share), (second, 1 - share)):
        error = part.std() / np.sqrt(N)
        assert part.mean() == pytest.approx(portion * electrons, abs=4 * error)


@pytest.mark.parametrize(
    ("electrons", "noise", "most"),
    [
        (0.3, 0.1, 0.0),  # electrons stand apart: exact
        (5, 0.1, 0.0),
        (5, 0.3, 0.01),
        (5, 0.5, 0.01),
        (10, 1.0, 0.01),
        (30, 2.0, 0.0),
        (0.3, 0.3, 0.07),  # hardly an electron: numbers below zero get no noise
        (0.3, 0.5, 0.1),
        (0.3, 1.0, 0.06),
        (0.3, 3.0, 0.005),
    ],
)
def test_parts_with_readout_noise_are_nearly_uncorrelated(electrons, noise, most):
    _, first, second = parts(electrons, noise, 0.5)
    correlation = np.corrcoef(first, second)[0, 1]
    # too much fresh noise makes it negative, never positive; three standard errors
    assert -most - 3 / np.sqrt(N) < correlation < 3 / np.sqrt(N)


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
