import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from napari_lowdose import particles
from napari_lowdose.noise import thin
from napari_lowdose.particles import Ground, combine_p, detect
from napari_lowdose.particles.held_out import predicted_places
from napari_lowdose.particles.windows import gaussian_spots, square


def likely(rate, n):
    """Four standard errors above a rate that is counted in n trials."""
    return rate + 4 * np.sqrt(rate * (1 - rate) / n)


def track(places, frames=None, **values):
    """One track through places (y, x)."""
    places = np.array(places, float)
    frames = np.arange(len(places)) if frames is None else frames
    table = pd.DataFrame({"frame": frames, "y": places[:, 0], "x": places[:, 1]})
    return table.assign(sigma=1.5, response=1.0, track=0, **values)


def movie(places, *, amplitude, background=1.0, size=41):
    """A spot that moves, in quanta; one frame per place."""
    frames = np.full((len(places), size, size), float(background))
    offsets = square(9)
    for frame, place in zip(frames, np.array(places, float), strict=True):
        share = gaussian_spots(place[None], np.array([1.5]), offsets)[0]
        y, x = offsets + np.rint(place).astype(int)[:, None]
        frame[y, x] += amplitude * share
    return frames


def linked(spots, gate=4.0):
    """Give each spot the track of the nearest one in the frame before."""
    spots = spots.assign(track=np.arange(len(spots)))
    names = spots["track"].to_numpy().copy()
    place, frame = spots[["y", "x"]].to_numpy(), spots["frame"].to_numpy()
    for t in range(1, frame.max() + 1):
        before, here = np.flatnonzero(frame == t - 1), np.flatnonzero(frame == t)
        if not len(before) or not len(here):
            continue
        away, nearest = cKDTree(place[before]).query(place[here])
        taken = set()
        for i in np.argsort(away):
            if away[i] <= gate and nearest[i] not in taken:
                taken.add(nearest[i])
                names[here[i]] = names[before[nearest[i]]]
    return spots.assign(track=names)


@pytest.mark.parametrize(
    ("ground", "background"),
    [(Ground.ANNULUS, 0.05), (Ground.ANNULUS, 1.0), (Ground.PLANE, 1.0), (None, 0.3)],
)
def test_noise_that_was_found_and_linked_passes_as_rarely_as_it_should(
    background, ground
):
    rng = np.random.default_rng(3)
    counts = rng.poisson(background, (20, 96, 96))
    spots = linked(detect(counts, sigmas_px=(1.5,), threshold=0.3 * background**0.5))
    known = np.full(counts.shape, background)
    tested = particles.test_in_neighbours(
        counts, spots, ground=known if ground is None else ground
    )
    # Spots of frames next to each other, or next but one, are tested on a frame that
    # they share: about half are independent.
    n = len(spots) / 2
    assert spots["track"].nunique() < 0.7 * len(spots)
    assert n > 1000
    for level in (0.05, 0.01):
        assert np.mean(tested["p_held_out"] < level) <= likely(level, n)


@pytest.mark.parametrize("speed", [0.0, 1.5])
def test_a_particle_is_found_where_its_track_leads(speed):
    places = [(20, 10 + speed * t) for t in range(9)]
    tested = particles.test_in_neighbours(movie(places, amplitude=40), track(places))
    alone = particles.test_spots(movie(places, amplitude=40), track(places))
    inner = slice(2, -2)
    # Twice the evidence of one frame, less what the place is wrong by.
    ratio = (tested["held_out_evidence"] / alone["evidence"]).to_numpy()[inner]
    assert np.all(ratio > (1.85 if speed else 1.99))
    assert np.all(ratio < 2.02)


def test_without_tracks_the_place_stays():
    places = [(20, 10 + 3 * t) for t in range(7)]
    frames, spots = movie(places, amplitude=40), track(places)
    followed = particles.test_in_neighbours(frames, spots)
    left = particles.test_in_neighbours(frames, spots.drop(columns="track"))
    inner = slice(2, -2)
    assert np.all(
        followed["held_out_evidence"][inner] > 2 * left["held_out_evidence"][inner]
    )


def test_a_spot_of_one_frame_has_no_support():
    frames = movie([(20, 20)] * 5, amplitude=60)
    frames[[0, 1, 3, 4]] = 1
    spot = track([(20, 20)], frames=[2])
    tested = particles.test_in_neighbours(frames, spot)
    assert tested["held_out_evidence"].item() == pytest.approx(0, abs=1e-9)
    assert tested["p_held_out"].item() > 0.4


def test_the_first_and_the_last_frame_have_one_neighbour():
    frames = movie([(20, 20)] * 4, amplitude=40)
    spots = track([(20, 20)] * 4)
    evidence = particles.test_in_neighbours(frames, spots)["held_out_evidence"]
    np.testing.assert_allclose(evidence[[1, 2]], 2 * evidence[0], rtol=1e-4)
    assert evidence[3] == evidence[0]


def test_a_movie_of_one_frame_has_nothing_held_out():
    frames = movie([(20, 20)], amplitude=40)
    tested = particles.test_in_neighbours(frames, track([(20, 20)]))
    assert tested[["held_out_evidence", "p_held_out"]].isna().all(axis=None)


def test_a_dimmer_frame_does_not_look_like_a_fainter_particle():
    frames = movie([(20, 20)] * 3, amplitude=40)
    frames[2] *= 0.5
    tested = particles.test_in_neighbours(frames, track([(20, 20)] * 3))
    single = particles.test_spots(frames, track([(20, 20)] * 3))["evidence"]
    # The share of the spot is the same, so nothing is lost by asking both at once.
    assert tested["held_out_evidence"][1] == pytest.approx(single[0] + single[2])


def test_a_place_is_predicted_without_what_was_detected_there_or_later():
    spots = track([(20.0, 10 + 2 * t) for t in range(7)])
    moved = spots.copy()
    moved.loc[5:, ["y", "x"]] = 0.0
    predicted = predicted_places(spots, 1)[4]
    assert predicted_places(moved, 1)[4].tolist() == predicted.tolist()
    # Four places tell the motion but for a twentieth, 2.5 frames from their middle.
    assert predicted == pytest.approx([20, 20 - 0.05 * 2 * 2.5], abs=0.02)
    assert predicted_places(spots, -1)[2] == pytest.approx([20, 12.25], abs=0.02)


def test_few_places_tell_less_of_a_motion():
    spots = track([(20.0, 10.0), (20.0, 12.0)])
    assert predicted_places(spots, 1).tolist() == [[20, 10], [20, 13]]
    alone = track([(20.0, 10.0)])
    assert predicted_places(alone, 1).tolist() == [[20, 10]]


def test_a_gap_in_a_track_is_a_longer_step():
    spots = track([(10, 10), (10, 12), (10, 16)], frames=[0, 1, 3])
    assert predicted_places(spots, 1)[2] == pytest.approx([10, 18], abs=0.4)


def test_combined_chances_hold_however_the_parts_depend_on_each_other():
    rng = np.random.default_rng(0)
    counts = np.full((60, 31, 31), 1.0)
    counts = rng.poisson(counts)
    spots = pd.DataFrame({"frame": np.arange(60), "y": 15.0, "x": 15.0, "sigma": 1.5})
    parts = [
        particles.test_spots(thin(counts, 0.5, rng=rng)[1], spots, fraction=0.5)["p"]
        for _ in range(5)
    ]
    combined = combine_p(np.stack([part.to_numpy() for part in parts]))
    assert np.mean(combined < 0.05) <= likely(0.05, 60)
    same = np.array([[0.01, 0.7]] * 3)
    assert combine_p(same).tolist() == [0.02, 1.0]


def test_no_spots_keep_the_columns():
    spots = track([(20, 20)]).iloc[:0]
    tested = particles.test_in_neighbours(np.ones((3, 41, 41)), spots)
    assert list(tested.columns[-2:]) == ["held_out_evidence", "p_held_out"]
