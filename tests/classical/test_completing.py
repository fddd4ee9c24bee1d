import numpy as np
import pytest
from scipy import ndimage
from scipy.fft import dctn, idctn

from napari_lowdose.classical.completing import completed

SHAPE = (48, 96, 96)


def noise(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)


def scene_and_least_error() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A Gaussian scene of known power, its counts, and their least-error estimate."""
    places = (np.arange(n) / n for n in SHAPE)
    distance = sum(np.square(p) for p in np.meshgrid(*places, indexing="ij"))
    power = 60 * np.exp(-distance / (2 * 0.08**2))
    rng = np.random.default_rng(2)
    coefficients = rng.standard_normal(SHAPE) * np.sqrt(power)
    scene = idctn(coefficients, norm="ortho").astype(np.float32)
    counts = 7 + scene + noise()
    shares = power / (power + 1)
    estimate = 7 + idctn(shares * dctn(counts - 7, norm="ortho"), norm="ortho")
    return 7 + scene, counts, estimate.astype(np.float32)


def error(estimate: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean((estimate - truth) ** 2))


def completion(estimate: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return completed(estimate.copy(), (counts - estimate).astype(np.float32))


def test_an_estimate_of_least_error_stays():
    truth, counts, best = scene_and_least_error()
    found = completion(best, counts)
    # No other estimate is better on average; gains have the chance that they must.
    assert error(found, truth) < 1.02 * error(best, truth)
    assert error(found, best) < 0.05 * error(best, truth)


@pytest.mark.parametrize("contrast", [0.85, 0.95, 1.1])
def test_lost_contrast_is_given_back(contrast):
    truth, counts, best = scene_and_least_error()
    flat = 7 + np.float32(contrast) * (best - 7)
    found = completion(flat, counts)
    # Gains are trusted as much as is usual for them, so that a little is left.
    assert error(found, best) < 0.2 * error(flat, best)
    assert error(found, truth) < error(flat, truth)
    # The slope of the truth on the estimate, which is 1 / contrast before.
    centred = found - found.mean()
    slope = np.vdot(truth - truth.mean(), centred) / np.vdot(centred, centred)
    assert slope == pytest.approx(1, abs=0.03)


def test_no_contrast_is_made_up_where_there_is_none():
    flat = np.full(SHAPE, 7, np.float32)
    few = flat + ndimage.gaussian_filter(noise(3), 4)  # of a deviation of a hundredth
    found = completion(few, flat + noise())
    # Gains end at 1.25; of pure noise 0.015 of its deviation may be put back.
    assert (found - 7).std() < 1.3 * (few - 7).std() + 0.015


def test_what_stands_out_of_the_residual_is_added():
    wave = 0.04 * np.cos(np.pi * 20 * (np.arange(96) + 0.5) / 96)
    missing = np.broadcast_to(wave, SHAPE).astype(np.float32)
    blank = np.full(SHAPE, 5, np.float32)
    found = completion(blank, 5 + missing + noise()) - 5
    # Of a power of a thousandth of the noise's; 0.05 of it was measured.
    assert error(found, missing) < 0.1 * missing.var()
    # Of a perfect estimate nothing is: as of pure noise.
    assert completion(blank, 5 + noise()).std() < 0.015


def test_the_mean_of_an_estimate_stays():
    # float32 means of 440,000 values around 7
    _, counts, best = scene_and_least_error()
    assert completion(best, counts + 3).mean() == pytest.approx(best.mean(), abs=1e-3)


def test_nothing_is_done_where_noise_is_not_white():
    blank = np.full((24, 64, 64), 5, np.float32)
    white = noise()[:24, :64, :64]
    rows = np.random.default_rng(2).standard_normal((24, 64, 1)).astype(np.float32)
    for shared in (ndimage.gaussian_filter(white, (0, 0.5, 0.5)), white + rows / 3):
        # float32
        np.testing.assert_allclose(completion(blank, 5 + shared), blank, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 9, 7), (2, 16, 16), (3, 1, 40)])
def test_any_shape_will_do(shape):
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, shape).astype(np.float32)
    estimate = np.full(shape, 3, np.float32)
    found = completion(estimate, counts)
    assert found.shape == shape
    assert np.isfinite(found).all()
