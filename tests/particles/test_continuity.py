import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter1d

from napari_lowdose.particles import appearances, continuity
from napari_lowdose.specimens import Catalyst
from napari_lowdose.specimens.catalyst import render_catalyst
from napari_lowdose.specimens.scene import Tracks

FRAMES, APPEARS = 40, 20
PLACES = [(y, x) for y in (15.0, 40.0, 65.0) for x in (10.0, 30.0, 50.0, 70.0)]


@pytest.fixture(scope="module")
def scene():
    return render_catalyst(Catalyst(frames=24, size=96, blink_rate=0.03, seed=1))


@pytest.fixture(scope="module")
def step():
    """Discs that appear, bright or dark, and the tables of it."""

    def make(sign=1.0, kind="birth"):
        y, x = np.mgrid[:80, :80]
        frames, rows, events = np.full((FRAMES, 80, 80), 5.0), [], []
        for name, (row, column) in enumerate(PLACES):
            disc = np.hypot(y - row, x - column) <= 4
            appears = APPEARS + (name % 2) * 12 - 6
            last = FRAMES if name % 2 else appears + 12
            frames[appears:last, disc] = 5 + sign
            first = 0 if kind == "return" else appears
            rows += [
                (t, name, row, column, 4.0, 1.0, t >= appears)
                for t in range(first, last)
            ]
            events.append((appears, kind, name, -1))
        particles = pd.DataFrame(rows, columns=[*Tracks().particles])
        return frames, particles, pd.DataFrame(events, columns=[*Tracks().events])

    return make


def test_a_clean_movie_does_not_flicker_or_fade(scene):
    clean = scene.stack.read()
    seen = continuity(clean, clean, scene.particles)
    assert seen.n_tracks > 8
    assert (seen.flicker, seen.fade_rate) == (0, 0)
    assert seen.slope == pytest.approx(1, abs=1e-12)


def test_slope_is_the_share_of_the_brightness_that_is_left(scene):
    clean = scene.stack.read()
    seen = continuity(0.7 * clean.astype(float) + 3, clean, scene.particles)
    assert seen.slope == pytest.approx(0.7, abs=1e-6)
    assert seen.flicker == pytest.approx(0, abs=1e-5)


def test_flicker_is_the_variation_along_the_track(step):
    clean, particles, _ = step()
    factor = 1 + 0.2 * np.tile([1, -1], FRAMES // 2)
    flickers = 5 + (clean - 5) * factor[:, None, None]
    seen = continuity(flickers, clean, particles)
    assert seen.flicker == pytest.approx(0.2)
    assert seen.fade_rate == 0


def test_a_particle_that_goes_faint_has_faded(step):
    clean, particles, _ = step()
    faint = clean.copy()
    faint[18:21] = 5 + 0.4 * (faint[18:21] - 5)
    visible = particles["visible"]
    n_faint = int((visible & particles["frame"].between(18, 20)).sum())
    seen = continuity(faint, clean, particles)
    assert seen.fade_rate == pytest.approx(n_faint / visible.sum())


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["bright", "dark"])
@pytest.mark.parametrize("kind", ["birth", "return"])
def test_a_true_step_is_shown_at_once(step, sign, kind):
    clean, particles, events = step(sign, kind)
    seen = appearances(clean, clean, particles, events)
    assert seen.n_events == len(PLACES)
    assert (seen.delay_frames, seen.late_share) == (0, 0)
    # linear between the frames before and after
    assert seen.rise_frames == pytest.approx(0.8)


@pytest.mark.parametrize("delay", [1, 3])
def test_an_estimate_that_lags_comes_later_by_as_much(step, delay):
    clean, particles, events = step()
    late = np.concatenate([clean[:1].repeat(delay, 0), clean[:-delay]])
    seen = appearances(late, clean, particles, events)
    assert seen.delay_frames == delay
    assert seen.late_share == (delay > 2)


def test_what_never_appears_counts_as_long_as_it_was_looked_at(step):
    clean, particles, events = step()
    seen = appearances(np.full_like(clean, 5.0), clean, particles, events)
    assert seen.delay_frames == 9
    assert seen.late_share == 1


def test_a_blur_in_time_is_slow_though_not_late(step):
    clean, particles, events = step()
    seen = appearances(gaussian_filter1d(clean, 2.0, axis=0), clean, particles, events)
    assert seen.late_share == 0
    # 2.56 deviations from 10 to 90 % of an error function
    assert seen.rise_frames == pytest.approx(2.56 * 2.0, abs=0.3)


def test_without_particles_there_is_nothing_to_tell():
    frames = np.ones((4, 20, 20))
    assert np.isnan(continuity(frames, frames, Tracks().particles).flicker)
    seen = appearances(frames, frames, Tracks().particles, Tracks().events)
    assert seen.n_events == 0
    assert np.isnan(seen.delay_frames)
