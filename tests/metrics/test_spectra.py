"""Detail from spectra: ring correlation, decorrelation and Bragg peaks."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from scipy import fft, ndimage

from napari_lowdose.metrics import (
    Threshold,
    cross_frc,
    decorrelation,
    frc,
    hexagonal_spacing,
    lattice_order,
)
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.specimens.lattice import Lattice

SIZE = 128


def radius(size=SIZE):
    return np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size))


def textures(power, count, rng, size=SIZE):
    """Independent Gaussian textures of a power spectrum."""
    white = fft.rfft2(rng.standard_normal((count, size, size)))
    return fft.irfft2(white * np.sqrt(power), s=(size, size))


@pytest.fixture(scope="module")
def signal():
    """Textures of the power 4 exp(-(f / 0.1)^2), where white noise has 1."""
    return textures(4 * np.exp(-((radius() / 0.1) ** 2)), 40, np.random.default_rng(0))


@pytest.fixture(scope="module")
def halves(signal):
    rng = np.random.default_rng(1)
    return [signal + rng.standard_normal(signal.shape) for _ in range(2)]


def test_ring_correlation_is_the_share_of_signal(halves):
    curve = frc(*halves)
    power = 4 * np.exp(-((curve.frequency / 0.1) ** 2))
    expected = power / (power + 1)
    deviation = curve.correlation - expected
    # three rings together, from the fifth on, are known to 0.03
    assert np.abs(ndimage.uniform_filter1d(deviation, 3)[5:]).max() < 0.1
    assert np.abs(deviation).mean() < 0.05
    # sixty rings tell their deviation to 9 %, the window's share is not exact
    assert np.std(deviation / curve.std_error) == pytest.approx(1, abs=0.3)


def test_the_crossing_is_where_signal_is_a_sixth_of_the_noise(halves):
    found = frc(*halves).crossing(rng=np.random.default_rng(0))
    true = 0.1 * np.sqrt(np.log(4 * 6))
    assert found.value == pytest.approx(true, abs=1 / SIZE)
    assert 0 < found.std_error < 1 / SIZE
    size = frc(*halves).resolution(0.2, rng=np.random.default_rng(0))
    assert size.value == pytest.approx(0.2 / found.value)


def test_thresholds_are_those_of_the_literature(halves):
    curve = frc(*halves)
    last = curve.n_independent[-1] ** -0.5
    half, one = (curve.threshold(rule)[-1] for rule in list(Threshold)[1:])
    # their limits for many pixels, 0.1716 and 1/3, to first order in one over the root
    assert half == pytest.approx(0.1716 + 1.4531 * last, abs=0.005)
    assert one == pytest.approx(1 / 3 + 1.2952 * last, abs=0.005)
    both = curve.at_both().correlation
    np.testing.assert_allclose(both * (1 + curve.correlation), 2 * curve.correlation)


def test_an_image_is_like_itself_and_noise_is_like_nothing():
    rng = np.random.default_rng(2)
    one, other = rng.standard_normal((2, 100, 141))
    np.testing.assert_allclose(frc(one, 3 * one + 7).correlation, 1, atol=1e-5)
    curve = frc(one, other)
    assert frc(one, one).crossing(rng=rng).value == 0.5
    # the least that can be told in frames of 100 pixels is a few cycles
    assert curve.crossing(rng=rng).value < 0.1


def test_two_large_images_take_less_than_a_second_of_two_cores():
    one, other = np.random.default_rng(0).poisson(3, (2, 2048, 2048))
    frc(one, other)
    start = process_time()
    frc(one, other)
    assert process_time() - start < 2  # of CPU time: other work must not fail this


def test_a_linear_filter_adds_no_detail_and_the_truth_all_there_is(halves, signal):
    one, other = halves
    rng = np.random.default_rng(0)
    blurred = ndimage.gaussian_filter(one, (0, 1, 1), mode="wrap")
    found = cross_frc(blurred, one, other, rng=rng).share
    # the filter meets the window: a hundredth
    assert abs(found.value) < 3 * found.std_error + 0.01
    best = cross_frc(signal, one, other, rng=rng).share
    assert best.value == pytest.approx(1, abs=3 * best.std_error)
    wiener = 0.5 * (signal + one)
    assert 0.3 < cross_frc(wiener, one, other, rng=rng).share.value < 1


def test_invented_detail_takes_from_what_there_was(halves):
    one, other = halves
    rng = np.random.default_rng(3)
    power = 4 * np.exp(-((radius() / 0.1) ** 2))
    invented = one + textures(power, len(one), rng)
    assert cross_frc(invented, one, other, rng=rng).share.value < -0.3


@pytest.mark.parametrize("cut", [0.2, 0.4, 0.6])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_decorrelation_finds_where_a_texture_ends(cut, noise):
    rng = np.random.default_rng(0)
    texture = textures(2 * radius(256) < cut, 1, rng, 256)[0]
    image = texture / texture.std() + noise * rng.standard_normal(texture.shape)
    # the radii lie 0.02 apart
    assert decorrelation(image).radius == pytest.approx(cut, abs=0.02)
    assert decorrelation(image).resolution(0.1) == pytest.approx(0.2 / cut, rel=0.1)


def test_decorrelation_finds_nothing_in_noise_and_no_odd_shape_troubles_it():
    rng = np.random.default_rng(1)
    found = decorrelation(rng.poisson(2, (101, 160)))
    assert found.radius == 0
    assert found.resolution() == np.inf
    with pytest.raises(ValueError, match="contrast"):
        decorrelation(np.ones((64, 64)))


def test_spacings_of_tungsten_disulphide():
    orders = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)]
    found = [hexagonal_spacing(3.18, h, k) for h, k in orders]
    # as they are printed, in ångström
    assert found == pytest.approx([2.754, 1.590, 1.377, 1.041, 0.918], abs=1e-3)


@pytest.fixture(scope="module")
def crystal():
    """Expected counts of a WS2 lattice; 0.16 Å per pixel."""
    settings = Lattice(frames=8, size=192, pixel_size_nm=0.016)
    stack = SPECIMENS["lattice"].render(settings).stack.read()
    return stack / stack.mean()


def test_bragg_peaks_have_the_lattices_spacings_and_more_with_the_dose(crystal):
    rng = np.random.default_rng(0)
    resolutions = []
    for dose in (1, 20):
        counts = rng.poisson(dose * crystal)
        estimate = ndimage.gaussian_filter(counts.astype(float), (1, 1, 1))
        found = lattice_order(counts, estimate, pixel_size=0.16, lattice_constant=3.18)
        assert [f.order for f in found.families[:4]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
        for family in found.families:
            # a Fourier pixel is 1 % of the first order, a peak is found to a tenth
            true = hexagonal_spacing(3.18, *family.order)
            assert family.spacing == pytest.approx(true, rel=0.005)
        resolutions.append(found.resolution)
    # (30) at the latest, and orders come one by one
    assert resolutions[1] < 0.92 < resolutions[0] < 1.6


def test_a_lattice_that_the_counts_do_not_show_is_not_trusted(crystal):
    rng = np.random.default_rng(1)
    counts = rng.poisson(5 * np.ones_like(crystal))
    found = lattice_order(counts, 5 * crystal, pixel_size=0.16)
    assert len(found.families) >= 4
    assert found.finest is None
    assert found.resolution == np.inf


def test_speckle_is_no_lattice():
    rng = np.random.default_rng(2)
    noise = rng.poisson(2, (20, 1, 128, 128))
    blurred = ndimage.gaussian_filter(noise.astype(float), (0, 0, 1, 1))
    found = [
        len(lattice_order(n, b).families) for n, b in zip(noise, blurred, strict=True)
    ]
    # one peak per 100 images by design; more than three in 20 is less likely than 1e-4
    assert sum(found) <= 3


def test_frames_that_tell_no_frequencies_are_refused():
    small, rng = np.ones((8, 8)), np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least 16 x 16"):
        frc(small, small)
    with pytest.raises(ValueError, match="one shape"):
        cross_frc(np.ones((32, 32)), np.ones((32, 32)), np.ones((2, 32, 32)), rng=rng)
    with pytest.raises(ValueError, match="at least 32 x 32"):
        decorrelation(small)
    with pytest.raises(ValueError, match="at least 32 x 32"):
        lattice_order(small, small)
