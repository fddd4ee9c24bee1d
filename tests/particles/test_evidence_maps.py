import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import (
    Polarity,
    evidence_map,
    fit_amplitude,
    likelihood_map,
    region_likelihood,
)
from napari_lowdose.particles.windows import gaussian_spots, pixels_around, square

SHAPE = (40, 48)


def fitted_everywhere(counts, sigma, background, sign):
    """The root of the evidence, pixel by pixel."""
    centre = np.indices(SHAPE).reshape(2, -1).T.astype(float)
    offsets = square(int(np.ceil(4 * sigma)))
    inside, y, x = pixels_around(centre, offsets, SHAPE)
    shape = np.where(inside, gaussian_spots(centre, np.full(len(y), sigma), offsets), 0)
    behind = np.full(shape.shape, background)
    fitted = fit_amplitude(counts[y, x], shape, behind, sign=sign)
    return np.sqrt(fitted.evidence).reshape(SHAPE)


@pytest.mark.parametrize(
    ("polarity", "sign"), [(Polarity.BRIGHT, 1), (Polarity.DARK, -1)]
)
@pytest.mark.parametrize("background", [0.05, 0.45, 10.0])
def test_the_map_is_the_fit_at_every_pixel(background, polarity, sign):
    y, x = np.indices(SHAPE)
    bell = np.exp(-((y - 15) ** 2 + (x - 20) ** 2) / 4.5)
    spot = 3 * np.sqrt(background) * bell if sign > 0 else -0.8 * background * bell
    counts = np.random.default_rng(0).poisson(background + spot)
    found = sign * evidence_map(
        counts[None], 1.5, background=background, polarity=polarity
    )
    expected = fitted_everywhere(counts, 1.5, background, sign)
    # a parabola between ratios that are 1.7 apart
    strong = expected > 2
    np.testing.assert_allclose(found[0][strong], expected[strong], atol=0.05)
    assert np.abs(found[0] - expected).mean() < 0.03


def test_bright_and_dark_are_in_one_map():
    counts = np.random.default_rng(0).poisson(1.0, (2, *SHAPE))
    both, bright, dark = (
        evidence_map(counts, 1.5, background=1.0, polarity=polarity)
        for polarity in (Polarity.BOTH, Polarity.BRIGHT, Polarity.DARK)
    )
    np.testing.assert_array_equal(both, bright + dark)
    # Where the one has evidence the other has none, but for rounding.
    assert np.minimum(bright, -dark).max() < 0.05


def test_noise_reaches_the_known_maximum():
    counts = np.random.default_rng(1).poisson(0.45, (200, 128, 128))
    evidence = evidence_map(counts, 1.5, background=0.45) ** 2
    # the quantile of 200 fields is known to 0.6
    assert np.quantile(evidence.max(axis=(1, 2)), 0.95) == pytest.approx(18.3, abs=1.2)


def test_what_is_expected_is_no_evidence():
    behind = np.linspace(0.5, 4, SHAPE[1])[None, None] * np.ones((1, *SHAPE))
    assert evidence_map(behind, 2.0, background=behind).max() < 0.02
    flat = evidence_map(behind, 2.0, background=behind + 1, readout_variance=0.5)
    assert flat.max() < 0.02


def test_excess_noise_divides_the_evidence():
    counts = np.random.default_rng(0).poisson(1.0, (1, *SHAPE))
    once = evidence_map(counts, 1.5, background=1.0)
    twice = evidence_map(counts, 1.5, background=1.0, excess=2.0)
    np.testing.assert_allclose(twice, once / np.sqrt(2), atol=1e-5)


def test_an_unknown_background_is_looked_up_around_each_place():
    y, x = np.indices((64, 64))
    bell = np.exp(-((y - 32) ** 2 + (x - 32) ** 2) / 4.5)
    frame = (5 + 20 * bell)[None]
    found = evidence_map(frame, 1.5)[0]
    known = evidence_map(frame, 1.5, background=5.0)[0]
    assert np.unravel_index(found.argmax(), found.shape) == (32, 32)
    # the spot itself is in its ring, with a few percent of its quanta
    assert found.max() == pytest.approx(known.max(), rel=0.08)


def test_a_background_of_nothing_is_refused():
    counts = np.ones((1, *SHAPE))
    with pytest.raises(ValueError, match="above zero"):
        evidence_map(counts, 1.5, background=0.0)
    spots = pd.DataFrame({"frame": [0], "y": [5.0], "x": [5.0], "sigma": [2.0]})
    with pytest.raises(ValueError, match="above 0"):
        likelihood_map(counts, counts, spots, background=0.0)


def test_a_region_as_bright_as_its_counts_has_its_likelihood():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.8, (1, *SHAPE))
    spots = pd.DataFrame({"frame": [0], "y": [20.0], "x": [20.0], "sigma": [3.0]})
    y, x = np.indices(SHAPE)
    disc = np.hypot(y - 20, x - 20) <= 3 * np.sqrt(2)
    mean = counts[0][disc].mean()
    estimate = np.full(counts.shape, mean)
    painted = likelihood_map(counts, estimate, spots, background=0.5)[0]
    region = region_likelihood(counts[0][disc].sum()[None], disc.sum() * 0.5)
    np.testing.assert_allclose(painted[disc], region[0] / disc.sum(), rtol=1e-5)
    assert np.all(painted[~disc] == 0)


def test_vacuum_is_preferred_where_the_counts_are_those_of_vacuum():
    counts = np.full((1, *SHAPE), 0.5)
    spots = pd.DataFrame({"frame": [0], "y": [20.0], "x": [20.0], "sigma": [3.0]})
    painted = likelihood_map(counts, counts + 0.4, spots, background=0.5)
    assert painted.min() < 0
    assert painted.max() == 0
