"""The risk estimate: no bias, whatever the noise, the filter and the unit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lowdose.classical.pgure import Probes, pgure
from napari_lowdose.classical.pgure_svt import pgure_of_thresholds
from napari_lowdose.noise import NoiseUnits

# gain, offset, readout noise: PURE, SURE, PGURE
POISSON, GAUSSIAN, BOTH = (1.0, 0.0, 0.0), (0.0, 0.0, 2.0), (2.0, 100.0, 3.0)
every_noise = pytest.mark.parametrize(
    "detector", [POISSON, GAUSSIAN, BOTH], ids=["PURE", "SURE", "PGURE"]
)


def ramp(frames=16, size=32):
    """Expected quanta of a scene of rank one after its mean."""
    t, y, x = np.ogrid[:frames, :size, :size]
    return 6 + 4 * np.sin(y / 5) * np.cos(x / 7) * (1 + 0.5 * np.sin(t / 3))


def recorded(quanta, detector, rng):
    gain, offset, readout_std = detector
    expected = offset + (gain or 1) * quanta
    counts = offset + gain * rng.poisson(quanta) if gain else expected
    return counts + rng.normal(0, readout_std, quanta.shape), expected


def smooth(counts):
    return gaussian_filter(counts, 1.0)


def shrink(counts):
    """Lower the singular values of a few large patches: as PGURE-SVT does."""
    n_frames = len(counts)
    mean = counts.mean()
    columns = (counts - mean).reshape(n_frames, -1, 64).transpose(1, 2, 0)
    left, singular, right = np.linalg.svd(columns, full_matrices=False)
    kept = np.maximum(singular - 20.0, 0)
    shrunk = (left * kept[:, None]) @ right
    return shrunk.transpose(2, 0, 1).reshape(counts.shape) + mean


@every_noise
@pytest.mark.parametrize("denoise", [smooth, shrink])
def test_the_risk_is_the_squared_error_on_average(detector, denoise):
    gain, offset, readout_std = detector
    surplus = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        counts, expected = recorded(ramp(), detector, rng)
        risk = pgure(
            denoise, counts, gain=gain, offset=offset, readout_std=readout_std, rng=rng
        )
        surplus.append(risk - np.mean((denoise(counts) - expected) ** 2))
    error = np.std(surplus) / len(surplus) ** 0.5
    noise = gain**2 * 6 + readout_std**2
    # For a filter that is not linear the Poisson part is a Taylor series, cut off: over
    # 240 movies it left 0.14 +- 0.05 % of the noise.
    cut_off = 0.0015 * noise if denoise is shrink else 0.0
    # three standard errors (notes on algorithms, test 6), which are small against the
    # noise that a filter could leave or take
    assert abs(np.mean(surplus)) < cut_off + 3 * error
    assert error < 0.03 * noise


def test_swapped_noise_and_offset_would_be_noticed():
    rng = np.random.default_rng(0)
    counts, expected = recorded(ramp(), BOTH, rng)
    swapped = pgure(smooth, counts, gain=2.0, offset=3.0, readout_std=100.0, rng=rng)
    error = np.mean((smooth(counts) - expected) ** 2)
    # the published code passes them in this order
    assert abs(swapped - error) > 100 * error


def test_the_risk_of_doing_nothing_is_the_variance_of_the_noise():
    rng = np.random.default_rng(0)
    counts = 50 + 3.0 * rng.poisson(7.0, (20, 40, 40)) + rng.normal(0, 4, (20, 40, 40))
    risk = pgure(lambda c: c, counts, gain=3.0, offset=50.0, readout_std=4.0, rng=rng)
    # 32000 values, whose sum of squares is known to 0.8 % of 79
    assert risk == pytest.approx(3.0**2 * 7 + 16, rel=0.03)


def test_directions_have_the_moments_that_the_estimate_needs():
    noise = NoiseUnits.of_detector(5.0, gain=1.0, offset=0.0, readout_std=1.0)
    probes = Probes.drawn(np.full(400_000, 5), noise, np.random.default_rng(0))
    for directions in (probes.signs, probes.skewed):
        # standard errors of 0.0016 for the mean and below 0.005 for the others
        assert directions.mean() == pytest.approx(0, abs=0.006)
        assert (directions**2).mean() == pytest.approx(1, abs=0.015)
    assert (probes.skewed**3).mean() == pytest.approx(1, abs=0.02)


@every_noise
def test_the_threshold_of_least_risk_is_that_of_least_error(detector):
    from napari_lowdose.classical import BASELINES

    gain, offset, readout_std = detector
    counts, expected = recorded(ramp(20, 40), detector, np.random.default_rng(3))
    noise = NoiseUnits.of_detector(
        float(counts.mean()), gain=gain, offset=offset, readout_std=readout_std
    )
    risks = pgure_of_thresholds(counts, noise, np.random.default_rng(4))
    denoise = BASELINES["pgure_svt"].denoise
    errors = {
        values: np.mean((denoise(counts, {"threshold": values[0]}) - expected) ** 2)
        for values in risks
    }
    tried = [*risks]
    apart = tried.index(min(risks, key=risks.get)) - tried.index(
        min(errors, key=errors.get)
    )
    # one step of the grid (notes on algorithms, test 7)
    assert abs(apart) <= 1
    # 32000 voxels: the noise's own square is known to 0.8 % of the variance
    variance = gain * gain * 6 + readout_std**2
    for values, risk in risks.items():
        assert risk == pytest.approx(errors[values], abs=0.04 * variance)
