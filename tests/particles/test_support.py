import numpy as np
import pandas as pd

from napari_lowdose.particles import temporal_support


def spots(frames, y=20.0, x=20.0, response=1.0):
    frame = np.asarray(frames, np.int64)
    table = pd.DataFrame({"frame": frame, "y": y, "x": x, "sigma": 1.6})
    return table.assign(response=response)


def support(table, **settings):
    return temporal_support(table, **settings)["support"].tolist()


def test_what_lasts_is_seen_in_all_frames_around_it_also_at_the_ends():
    assert support(spots(range(6))) == [1.0] * 6


def test_support_is_the_share_of_frames_that_have_it():
    # frame 2 has 1 and 4 of 0, 1, 3, 4; frame 5 is past the last spot
    assert support(spots([1, 2, 4]), n_frames=6) == [1 / 3, 2 / 4, 1 / 3]


def test_a_spot_alone_has_none():
    assert support(spots([3]), n_frames=8) == [0.0]


def test_bright_and_dark_do_not_support_each_other():
    table = pd.concat([spots([2]), spots([3], response=-1.0)], ignore_index=True)
    assert support(table, n_frames=6) == [0.0, 0.0]


def test_the_place_follows_the_track():
    frames = np.arange(9)
    # 3 px per frame: two frames on, 6 px are beyond 4 sqrt(2)
    moving = spots(frames, x=10 + 3.0 * frames)
    assert support(moving)[4] == 0.5
    assert support(moving.assign(track=0))[4] == 1.0


def test_reach_limits_what_supports():
    table = pd.concat([spots([2]), spots([3], x=23.0)], ignore_index=True)
    assert support(table, reach_px=2.9, n_frames=4) == [0.0, 0.0]
    assert support(table, reach_px=3.1, n_frames=4)[0] == 1 / 3


def test_one_frame_has_no_neighbours():
    assert np.isnan(support(spots([0]))).all()


def test_a_track_is_as_long_as_it_has_spots():
    table = spots([0, 1, 3, 1]).assign(track=[0, 0, 0, 1])
    assert temporal_support(table)["track_frames"].tolist() == [3, 3, 3, 1]
    assert temporal_support(spots([0, 1]))["track_frames"].tolist() == [1, 1]
