import numpy as np
import pytest
from scipy import optimize, stats

from napari_lowdose.particles import (
    familywise_p,
    familywise_threshold,
    fit_amplitude,
    half_chi2_p,
    region_likelihood,
)
from napari_lowdose.particles.windows import disc, gaussian_spots

OFFSETS = disc(6)


def spots(n, sigma=1.5, seed=0):
    """Shapes of spots anywhere in a pixel."""
    centre = np.random.default_rng(seed).uniform(-0.5, 0.5, (n, 2))
    return gaussian_spots(centre, np.full(n, sigma), OFFSETS)


def test_the_shares_of_all_pixels_sum_to_one():
    centre = np.array([[3.3, 7.6]])
    shares = gaussian_spots(centre, np.array([1.2]), disc(9))
    assert shares.sum() == pytest.approx(1, abs=1e-12)


def test_a_wide_spot_has_the_share_of_the_gaussian_at_each_pixel():
    shares = gaussian_spots(np.array([[0.2, -0.3]]), np.array([4.0]), OFFSETS)
    squared = (OFFSETS[0] - 0.2) ** 2 + (OFFSETS[1] + 0.3) ** 2
    sampled = np.exp(-squared / 32) / (32 * np.pi)
    # a pixel's mean is that of a Gaussian wider by 1 / 12
    np.testing.assert_allclose(shares[0], sampled, rtol=0.02)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("background", [0.05, 0.5, 20.0])
def test_the_amplitude_is_where_the_likelihood_is_largest(background, sign):
    shape = spots(12)
    behind = np.full(shape.shape, background)
    rng = np.random.default_rng(1)
    amplitude = sign * 0.7 * background / shape.max()
    counts = rng.poisson(behind + amplitude * shape)
    fitted = fit_amplitude(counts, shape, behind, sign=sign)

    for k, h, found, evidence in zip(
        counts, shape, fitted.amplitude, fitted.evidence, strict=True
    ):

        def fall(a, k=k, h=h):
            return a * h.sum() - k @ np.log1p(a * h / background)

        end = k.sum() / h.sum() if sign > 0 else -background / h.max() * (1 - 1e-9)
        best = optimize.minimize_scalar(
            fall, bounds=sorted([0, end]), method="bounded", options={"xatol": 1e-9}
        )
        assert evidence == pytest.approx(max(-2 * best.fun, 0), abs=1e-6)
        # a maximum is flat: half the digits of what it is known to
        assert found == pytest.approx(best.x, abs=2e-3 * abs(end))


def test_counts_that_want_no_spot_of_that_sign_give_nothing():
    shape = spots(200)
    behind = np.full(shape.shape, 1.0)
    counts = np.random.default_rng(0).poisson(behind)
    bright = fit_amplitude(counts, shape, behind)
    dark = fit_amplitude(counts, shape, behind, sign=-1)
    either = fit_amplitude(counts, shape, behind, sign=0)
    assert np.all((bright.amplitude > 0) ^ (dark.amplitude < 0))
    assert np.all((bright.amplitude == 0) == (bright.evidence == 0))
    np.testing.assert_array_equal(either.evidence, bright.evidence + dark.evidence)


def test_each_spot_may_have_a_sign_of_its_own():
    shape = spots(50)
    behind = np.full(shape.shape, 3.0)
    counts = np.random.default_rng(0).poisson(behind)
    signs = np.where(np.arange(50) % 2, 1, -1)
    mixed = fit_amplitude(counts, shape, behind, sign=signs)
    bright = fit_amplitude(counts, shape, behind, sign=1)
    np.testing.assert_array_equal(mixed.evidence[1::2], bright.evidence[1::2])
    assert np.all(mixed.amplitude[::2] <= 0)


@pytest.mark.parametrize(("background", "amplitude"), [(0.05, 10), (0.5, 25), (5, 60)])
def test_the_amplitude_is_unbiased_and_its_deviation_the_stated_one(
    background, amplitude
):
    n = 4000
    shape = spots(n)
    behind = np.full(shape.shape, background)
    counts = np.random.default_rng(2).poisson(behind + amplitude * shape)
    fitted = fit_amplitude(counts, shape, behind)
    scatter = fitted.amplitude.std()
    # 3 standard errors; the likelihood's own bias is of the order of a hundredth
    assert fitted.amplitude.mean() == pytest.approx(
        amplitude, abs=scatter * (3 / np.sqrt(n) + 0.01)
    )
    # a deviation from n values is known to 1 / sqrt(2 n), 1.1 %
    assert fitted.amplitude_std.mean() == pytest.approx(scatter, rel=0.05)


def test_a_uniform_shape_is_the_region_likelihood():
    counts = np.random.default_rng(3).poisson(0.6, (300, 25))
    shape, behind = np.full(counts.shape, 1 / 25), np.full(counts.shape, 0.45)
    fitted = fit_amplitude(counts, shape, behind)
    region = region_likelihood(counts.sum(axis=1), 25 * 0.45)
    np.testing.assert_allclose(fitted.evidence, 2 * region, atol=1e-9)
    excess = np.maximum(counts.sum(axis=1) - 25 * 0.45, 0)
    np.testing.assert_allclose(fitted.amplitude, excess, rtol=1e-5, atol=1e-9)


def test_pixels_without_a_share_have_no_say():
    shape = spots(20)
    behind = np.full(shape.shape, 1.0)
    counts = np.random.default_rng(0).poisson(behind)
    cut = OFFSETS[0] < 3
    whole = fit_amplitude(counts, np.where(cut, shape, 0), behind)
    part = fit_amplitude(counts[:, cut], shape[:, cut], behind[:, cut])
    np.testing.assert_allclose(whole.evidence, part.evidence, atol=1e-9)


def test_a_background_of_nothing_is_refused():
    shape = spots(1)
    with pytest.raises(ValueError, match="above zero"):
        fit_amplitude(np.ones(shape.shape), shape, np.zeros(shape.shape))


def test_known_thresholds_have_their_chances():
    p = half_chi2_p(np.array([0.0, 2.706, 5.412, 9.550, np.nan]))
    np.testing.assert_allclose(p[:4], [1, 0.05, 0.01, 0.001], rtol=1e-3)
    assert np.isnan(p[4])


def test_the_chance_anywhere_belongs_to_the_familywise_threshold():
    threshold = np.array([familywise_threshold(128**2)])
    p = half_chi2_p(threshold)
    assert familywise_p(p, 128**2, sigma_px=1.5)[0] == pytest.approx(0.05, rel=1e-6)


def test_larger_spots_have_fewer_places_to_be():
    p = np.full(3, 1e-6)
    anywhere = familywise_p(p, 10**5, sigma_px=np.array([1.0, 2.0, 4.0]))
    # far below one, chances add up
    np.testing.assert_allclose(anywhere[:-1] / anywhere[1:], 4, rtol=0.05)
    assert familywise_p(np.array([1.0, 0.0]), 10, sigma_px=1.0).tolist() == [1, 0]


def test_half_chi2_is_half_of_scipys():
    evidence = np.array([0.1, 3.0, 40.0])
    np.testing.assert_allclose(half_chi2_p(evidence), stats.chi2.sf(evidence, 1) / 2)
