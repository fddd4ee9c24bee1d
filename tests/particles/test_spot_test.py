import time

import numpy as np
import pandas as pd
import pytest

from napari_lowdose import particles
from napari_lowdose.benchmarks.trust.null_rates import null_rates
from napari_lowdose.noise import thin
from napari_lowdose.particles import Ground, detect
from napari_lowdose.particles.windows import gaussian_spots, square


def row(**values):
    return pd.DataFrame([{"frame": 0, "y": 20.0, "x": 20.0, "sigma": 1.5, **values}])


def clean(places, *, amplitude, background, size=41, sigma=1.5):
    """A frame with spots on a flat background, in quanta."""
    frame = np.full((size, size), float(background))
    for y, x in places:
        centre = np.array([[y, x]], float)
        offsets = square(2 * size)
        share = gaussian_spots(centre, np.array([sigma]), offsets)[0]
        ys, xs = offsets + np.rint(centre[0]).astype(int)[:, None]
        inside = (ys >= 0) & (ys < size) & (xs >= 0) & (xs < size)
        frame[ys[inside], xs[inside]] += amplitude * share[inside]
    return frame


def likely(rate, n):
    """Four standard errors above a rate that is counted in n trials."""
    return rate + 4 * np.sqrt(rate * (1 - rate) / n)


@pytest.mark.parametrize("ground", [Ground.ANNULUS, Ground.PLANE, None])
@pytest.mark.parametrize("background", [0.02, 0.45, 10.0])
def test_noise_passes_as_rarely_as_the_level_says(background, ground):
    n = 2500
    rates = null_rates(background, n, np.random.default_rng(0), ground)
    for level, rate in rates.items():
        assert rate <= likely(level, n)
    # Discrete counts make it stricter, by up to a quarter at 0.02.
    assert rates[0.05] >= 0.7 * 0.05


def test_noise_that_leans_passes_no_more_often_than_flat_noise():
    n, rng = 2000, np.random.default_rng(1)
    lean = np.linspace(0.2, 1.8, 64)[None, None] * np.ones((100, 64, 1))
    # between bright ground and dark there is no spot, but a ring does not know
    grid = pd.DataFrame(
        {"y": rng.uniform(8, 55, n), "x": rng.uniform(8, 55, n), "sigma": 1.5}
    ).assign(frame=np.arange(n) % 100)
    tested = particles.test_spots(rng.poisson(lean), grid, ground=Ground.PLANE)
    assert np.mean(tested["p"] < 0.05) <= likely(0.05, n)
    assert np.mean(tested["p"] < 0.01) <= likely(0.01, n)


@pytest.mark.parametrize("ground", [Ground.ANNULUS, Ground.PLANE, None])
@pytest.mark.parametrize(("amplitude", "background"), [(30, 0.5), (-60, 8)])
def test_counts_as_expected_give_back_the_spot(amplitude, background, ground):
    frame = clean([(20.3, 19.8)], amplitude=amplitude, background=background)
    spot = row(y=20.3, x=19.8, response=float(amplitude))
    known = np.full((1, 41, 41), float(background))
    found = particles.test_spots(
        frame[None], spot, ground=known if ground is None else ground
    ).iloc[0]
    # the plane is fitted to a hundredth
    assert found["amplitude"] == pytest.approx(amplitude, rel=0.01)
    assert found["background"] == pytest.approx(background, rel=0.01)
    assert found["p"] < 0.01


@pytest.mark.parametrize("ground", Ground)
def test_an_unknown_background_leaves_the_amplitude_unbiased(ground):
    n, amplitude = 800, 25.0
    frame = clean([(15, 15)], amplitude=amplitude, background=0.5, size=31)
    counts = np.random.default_rng(5).poisson(frame, (n, 31, 31))
    spots = pd.concat([row(y=15.0, x=15.0)] * n).assign(frame=np.arange(n))
    tested = particles.test_spots(counts, spots, ground=ground)
    scatter = tested["amplitude"].std()
    # 3 standard errors and a hundredth; a deviation is known to 1 / sqrt(2 n), 2.5 %
    assert tested["amplitude"].mean() == pytest.approx(
        amplitude, abs=scatter * (3 / np.sqrt(n) + 0.01)
    )
    assert tested["amplitude_std"].mean() == pytest.approx(scatter, rel=0.1)
    assert tested["background"].mean() == pytest.approx(0.5, rel=0.02)


def test_what_a_plane_explains_is_not_evidence():
    lean = 20 + 5.0 * np.arange(41)[None, :, None] * np.ones((1, 1, 41))
    rim = row(y=0.0, x=20.0, response=-1.0)  # as dark as on no other side of it
    flat, plane = (
        particles.test_spots(lean, rim, ground=ground)["evidence"].item()
        for ground in (Ground.ANNULUS, Ground.PLANE)
    )
    assert flat > 4
    assert plane < 0.01 * flat


def test_a_neighbour_is_left_out_of_the_ring():
    frame = clean([(20, 20), (20, 26)], amplitude=40, background=1)[None]
    alone = particles.test_spots(frame, row())
    both = particles.test_spots(frame, pd.concat([row(), row(x=26.0)]))
    assert alone["background"].item() > 1.1
    assert both["background"].iloc[0] == pytest.approx(1, abs=0.03)
    # A hundredth of the neighbour lies on this side of the middle.
    assert both["amplitude"].iloc[0] == pytest.approx(40, rel=0.03)


def test_a_spot_at_the_rim_counts_as_the_whole_one():
    frame = clean([(0, 20)], amplitude=50, background=1)[None]
    found = particles.test_spots(frame, row(y=0.0))
    assert found["amplitude"].item() == pytest.approx(50, rel=1e-3)


def test_a_thinned_half_finds_the_full_brightness():
    n, rng = 300, np.random.default_rng(7)
    frame = clean([(15, 15)], amplitude=60, background=1, size=31)
    counts = rng.poisson(frame, (n, 31, 31))
    _, held_out = thin(counts, 0.7, rng=rng)
    spots = pd.concat([row(y=15.0, x=15.0)] * n).assign(frame=np.arange(n))
    tested = particles.test_spots(held_out, spots, fraction=0.3)
    error = tested["amplitude"].std() / np.sqrt(n)
    assert tested["amplitude"].mean() == pytest.approx(60, abs=3 * error)
    assert tested["amplitude_std"].mean() == pytest.approx(
        tested["amplitude"].std(), rel=0.15
    )
    assert tested["background"].mean() == pytest.approx(1, rel=0.02)


def test_noise_chosen_for_its_brightness_fails_on_the_half_that_did_not_choose_it():
    rng = np.random.default_rng(0)
    kept, held_out = thin(rng.poisson(1.0, (24, 128, 128)), 0.5, rng=rng)
    chosen = detect(kept, sigmas_px=(1.5,), threshold=0.6)
    same = particles.test_spots(kept, chosen, fraction=0.5)
    other = particles.test_spots(held_out, chosen, fraction=0.5)
    n = len(chosen)
    assert n > 100
    assert np.mean(same["p"] < 0.01) > 0.3
    assert np.mean(other["p"] < 0.01) <= likely(0.01, n)
    assert np.mean(other["p"] < 0.05) <= likely(0.05, n)


def test_readout_noise_is_no_evidence():
    n, rng = 4000, np.random.default_rng(2)
    counts = rng.poisson(0.5, (n // 16, 96, 96)) + rng.normal(0, 0.8, (n // 16, 96, 96))
    place = np.arange(n) % 16
    spots = pd.DataFrame(
        {
            "frame": np.arange(n) // 16,
            "y": 12.0 + 24 * (place // 4),
            "x": 12.0 + 24 * (place % 4),
            "sigma": 1.5,
        }
    )
    tested = particles.test_spots(counts, spots, readout_variance=0.64)
    for level in (0.05, 0.01):
        assert np.mean(tested["p"] < level) <= likely(level, n)
    assert tested["background"].mean() == pytest.approx(0.5, rel=0.03)


def test_excess_noise_divides_the_evidence():
    frame = clean([(20, 20)], amplitude=30, background=1)[None]
    once, twice = (particles.test_spots(frame, row(), excess=f) for f in (1.0, 2.0))
    assert twice["evidence"].item() == pytest.approx(once["evidence"].item() / 2)
    assert twice["amplitude_std"].item() == pytest.approx(
        once["amplitude_std"].item() * np.sqrt(2)
    )


@pytest.mark.parametrize("ground", Ground)
def test_frames_without_quanta_say_nothing(ground):
    found = particles.test_spots(np.zeros((1, 41, 41)), row(), ground=ground)
    assert found["evidence"].item() == 0
    assert found["p"].item() == 1
    assert np.isinf(found["amplitude_std"].item())


def test_no_spots_keep_the_columns():
    found = particles.test_spots(np.ones((1, 41, 41)), row().iloc[:0])
    assert list(found.columns[4:]) == [
        *("amplitude", "amplitude_std", "background"),
        *("evidence", "p", "p_familywise"),
    ]


@pytest.mark.parametrize(
    ("spots", "settings", "message"),
    [
        (row().drop(columns="sigma"), {}, "sigma missing"),
        (row(frame=3), {}, "frames from 0 to 0"),
        (row(sigma=0.0), {}, "sigma above zero"),
        (row(), {"excess": 0.0}, "excess above 0"),
        (row(), {"fraction": 1.5}, "fraction"),
        (row(), {"ground": np.zeros((1, 41, 41))}, "background above zero"),
    ],
)
def test_what_cannot_be_tested_is_refused(spots, settings, message):
    with pytest.raises(ValueError, match=message):
        particles.test_spots(np.ones((1, 41, 41)), spots, **settings)


def test_two_thousand_spots_take_a_second_of_one_core():
    """12,800 spots and their neighbours are tested in 3 s."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.5, (10, 256, 256)).astype(np.float32)
    n = 2000
    spots = pd.DataFrame(
        {
            "frame": np.arange(n) % 10,
            "y": rng.uniform(0, 255, n),
            "x": rng.uniform(0, 255, n),
            "sigma": 1.6,
        }
    )
    start = time.process_time()
    particles.test_in_neighbours(counts, particles.test_spots(counts, spots))
    # twice what it takes, for a busy machine
    assert time.process_time() - start < 1
