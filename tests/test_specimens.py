import numpy as np
import pytest

from napari_lowdose.specimens import SPECIMENS, Catalyst


@pytest.mark.parametrize("kind", SPECIMENS)
def test_brightness_is_finite_and_not_negative(kind):
    specimen = SPECIMENS[kind]
    stack = specimen.render(specimen.settings(frames=5, size=32)).stack.read()
    assert stack.shape == (5, 32, 32)
    assert stack.min() >= 0


@pytest.mark.parametrize("kind", SPECIMENS)
def test_same_seed_same_movie(kind):
    specimen = SPECIMENS[kind]
    first, again, other = (
        specimen.render(specimen.settings(frames=4, size=32, seed=seed)).stack.read()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_scale_is_the_one_asked_for():
    stack = SPECIMENS["catalyst"].render(
        Catalyst(frames=2, size=32, pixel_size_nm=0.3, frame_interval_s=0.5)
    )
    assert stack.scale == (0.5, 0.3, 0.3)
    assert stack.units == ("second", "nanometer", "nanometer")


def test_particles_stand_out_as_the_contrast_says():
    settings = Catalyst(frames=1, size=128, n_particles=1, radius_px=8, contrast=5)
    without = settings.model_copy(update={"n_particles": 0})
    stack = SPECIMENS["catalyst"].render(settings).stack.read()
    film = SPECIMENS["catalyst"].render(without).stack.read()
    # one log-normal radius of spread 0.25 around 8 px, whose peak the probe lowers
    assert 3 < (stack - film).max() < 10


def test_still_particles_stay_and_moving_ones_move():
    still = Catalyst(
        frames=20,
        size=64,
        n_particles=3,
        motion_px=0,
        drift_px=0,
        hop_rate=0,
        blink_rate=0,
    )
    stack = SPECIMENS["catalyst"].render(still).stack.read()
    np.testing.assert_array_equal(stack[0], stack[1])
    moving = still.model_copy(update={"motion_px": 1.0})
    stack = SPECIMENS["catalyst"].render(moving).stack.read()
    assert not np.array_equal(stack[0], stack[-1])


def test_touching_particles_become_one_of_their_volume():
    from napari_lowdose.specimens.catalyst import _Particles

    particles = _Particles(
        np.array([[20.0, 20.0], [20.0, 22.0]]), np.array([4.0, 3.0]), np.ones(2, bool)
    )
    still = Catalyst(motion_px=0, drift_px=0, hop_rate=0, blink_rate=0)
    for _ in range(60):
        particles.advance(still, np.random.default_rng(0))
    np.testing.assert_allclose(particles.radius, [np.cbrt(4.0**3 + 3.0**3)])


def test_blinking_particles_come_back():
    settings = Catalyst(
        frames=200,
        size=32,
        n_particles=1,
        motion_px=0,
        drift_px=0,
        hop_rate=0,
        blink_rate=0.1,
    )
    peak = SPECIMENS["catalyst"].render(settings).stack.read().max(axis=(1, 2))
    bright = peak > peak.max() / 2
    # both states last a few frames: out of 200 there are many changes
    assert np.count_nonzero(np.diff(bright.astype(int))) > 5
