import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import Ground, presence, presence_courses
from napari_lowdose.particles.windows import disc, gaussian_spots

SIZE, APART = 96, 24
N = (SIZE // APART) ** 2
FRAMES = 80


def blinking(rng, *, snr=4.0, background=0.45, p=0.02, sign=1):
    """Particles that come and go: counts, states and places."""
    grid = np.mgrid[APART // 2 : SIZE : APART, APART // 2 : SIZE : APART]
    places = grid.reshape(2, -1).T + rng.uniform(-0.5, 0.5, (N, 2))
    offsets = disc(9)
    shares = gaussian_spots(places, np.full(N, 1.5), offsets)
    amplitude = sign * snr * np.sqrt(background / np.sum(shares[0] ** 2))
    for _ in range(20):  # its own shot noise counts as well
        inside = np.sum(shares[0] ** 2 / (background + amplitude * shares[0]))
        amplitude = 0.5 * (amplitude + sign * snr / np.sqrt(inside))
    changes = rng.random((FRAMES, N)) < p
    changes[0] = rng.random(N) < 0.5
    state = np.cumsum(changes, axis=0) % 2 == 1
    expected = np.full((FRAMES, SIZE, SIZE), background)
    for number, (place, share) in enumerate(zip(places, shares, strict=True)):
        y, x = offsets + np.rint(place).astype(int)[:, None]
        expected[:, y, x] += amplitude * share * state[:, number, None]
    return rng.poisson(expected), state, places


def detections(state, places, rng, *, sign=1, missed=0.2, false=0.02):
    chance = np.where(state, 1 - missed, false)
    frame, number = np.nonzero(rng.random(state.shape) < chance)
    columns = {"frame": frame, "y": places[number, 0], "x": places[number, 1]}
    return pd.DataFrame(columns).assign(
        sigma=1.5, response=float(sign), track=number.astype(np.int64)
    )


def one(frames=(3, 4, 5), **values):
    table = pd.DataFrame({"frame": frames, "y": 20.0, "x": 20.0, "sigma": 1.5})
    return table.assign(track=7, response=1.0, **values)


@pytest.mark.parametrize(
    ("ground", "background", "sign"),
    [
        (Ground.ANNULUS, 0.45, 1),
        (Ground.ANNULUS, 30.0, -1),
        (Ground.PLANE, 0.45, 1),
        (None, 0.45, 1),
    ],
)
def test_blinking_is_told_from_noise(background, sign, ground):
    rng = np.random.default_rng(0)
    counts, state, places = blinking(rng, background=background, sign=sign)
    spots = detections(state, places, rng, sign=sign)
    known = np.full(counts.shape, background)
    courses = presence_courses(
        counts, spots, ground=known if ground is None else ground
    )
    true = state[courses["frame"], courses["track"]]
    # the catalogue asks for 0.95; a single frame is right in about 0.98
    assert np.mean((courses["present"] > 0.5) == true) > 0.98
    # half the square of the SNR, on either side
    assert courses["log_odds"][true].mean() > 4
    assert courses["log_odds"][~true].mean() < -4


def test_the_trace_shows_the_amplitude_that_is_there():
    rng = np.random.default_rng(1)
    counts, state, places = blinking(rng)
    courses = presence_courses(counts, detections(state, places, rng))
    true = state[courses["frame"], courses["track"]]
    on, off = courses["amplitude"][true], courses["amplitude"][~true]
    std = courses["amplitude_std"][~true].mean()
    # about 600 frames each: 4 standard errors, and as much for the likelihood's bias
    assert off.mean() == pytest.approx(0, abs=0.3 * std)
    # Where too little is fitted, the deviation that belongs to it is too small as well.
    assert off.std() == pytest.approx(std, rel=0.2)
    assert on.mean() == pytest.approx(26.7, rel=0.05)


def test_courses_bridge_gaps_and_reach_beyond_the_track():
    spots = one(frames=[3, 4, 8]).assign(x=[10.0, 12.0, 20.0])
    courses = presence_courses(np.ones((12, 41, 41)), spots)
    assert courses["frame"].tolist() == list(range(1, 11))
    assert courses["detected"].to_numpy().nonzero()[0].tolist() == [2, 3, 7]
    assert courses["x"].tolist() == [10, 10, 10, 12, 14, 16, 18, 20, 20, 20]
    assert set(courses["track"]) == {7}


def test_courses_end_with_the_movie():
    courses = presence_courses(np.ones((5, 41, 41)), one(frames=[0, 1, 4]))
    assert courses["frame"].tolist() == list(range(5))


def still(state, amplitude):
    """Expected counts of one particle, on a background of one."""
    offsets = disc(9)
    share = gaussian_spots(np.array([[20.0, 20.0]]), np.array([1.5]), offsets)[0]
    frames = np.ones((len(state), 41, 41))
    y, x = offsets + 20
    frames[:, y, x] += amplitude * share * np.array(state, float)[:, None]
    return frames


def test_a_dark_frame_is_believed_only_for_its_price():
    state = np.ones(20)
    state[10] = 0
    for amplitude, believed in [(17.0, False), (40.0, True)]:
        spots = one(frames=range(20))
        courses = presence_courses(still(state, amplitude), spots)
        # twice ln(0.98 / 0.02)
        assert (courses["log_odds"][10] < -7.8) == believed
        assert (courses["present"][10] < 0.5) == believed
        assert courses["log_odds"][10] < 0


def test_rarer_changes_cost_more():
    state = np.ones(20)
    state[10] = 0
    counts = still(state, 24.0)
    spots = one(frames=range(20))
    often, rarely = (
        presence_courses(counts, spots, p_on=p, p_off=p)["present"][10]
        for p in (0.2, 1e-4)
    )
    assert often < 0.2 < 0.8 < rarely


def test_presence_is_the_course_at_the_spots():
    rng = np.random.default_rng(2)
    counts, state, places = blinking(rng)
    spots = detections(state, places, rng).sample(frac=1, random_state=0)
    column = presence(counts, spots)
    courses = presence_courses(counts, spots)
    found = courses[courses["detected"]].set_index(["track", "frame"])["present"]
    expected = [found[key] for key in zip(spots["track"], spots["frame"], strict=True)]
    assert column["present"].tolist() == expected
    assert column.index.equals(spots.index)


def test_a_track_of_noise_is_absent():
    counts = np.random.default_rng(4).poisson(1.0, (30, 41, 41))
    courses = presence_courses(counts, one(frames=range(10, 20)))
    assert courses["present"].max() < 0.2


def test_no_tracks_have_no_courses():
    none = one().iloc[:0]
    courses = presence_courses(np.ones((4, 41, 41)), none)
    assert courses.empty
    assert "log_odds" in courses
    assert presence(np.ones((4, 41, 41)), none)["present"].empty


def test_spots_without_tracks_and_impossible_chances_are_refused():
    counts = np.ones((9, 41, 41))
    with pytest.raises(ValueError, match="link"):
        presence(counts, one().drop(columns="track"))
    with pytest.raises(ValueError, match="chances"):
        presence(counts, one(), p_on=0.0)
