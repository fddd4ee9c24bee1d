import time

import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import link


def spots(*rows, sigma=1.6):
    table = pd.DataFrame(rows, columns=["frame", "y", "x"])
    table["frame"] = table["frame"].astype(np.int64)
    table[["y", "x"]] = table[["y", "x"]].astype(np.float64)
    return table.assign(sigma=sigma, response=1.0)


def path(frames, y, x):
    """Give one row per frame; y and x are functions of the frame."""
    return [(frame, y(frame), x(frame)) for frame in frames]


def test_two_particles_that_pass_each_other_keep_their_tracks():
    frames = range(8)
    rows = path(frames, lambda t: 10 + t, lambda t: 20) + path(
        frames, lambda t: 17 - t, lambda t: 26
    )
    linked = link(spots(*rows))
    assert linked["track"].tolist() == [0] * 8 + [1] * 8
    assert (linked[["parent", "into"]] == -1).all(axis=None)


def test_the_links_together_are_worth_most():
    # Taken on its own, the nearest pair (13, 12) would leave two spots alone.
    linked = link(spots((0, 20, 10), (0, 20, 13), (1, 20, 12), (1, 20, 15)))
    assert linked["track"].tolist() == [0, 1, 0, 1]


def test_nobody_is_linked_beyond_reach():
    assert link(spots((0, 0, 0), (1, 0, 4)))["track"].nunique() == 2
    assert link(spots((0, 0, 0), (1, 0, 4)), reach_px=4.1)["track"].nunique() == 1


@pytest.mark.parametrize(("missing", "tracks"), [(0, 1), (1, 1), (2, 1), (3, 2)])
def test_gaps_are_closed_up_to_two_frames(missing, tracks):
    rows = path([0, 1, 2, 3 + missing, 4 + missing], lambda t: 9, lambda t: 9)
    assert link(spots(*rows))["track"].nunique() == tracks


def test_no_gap_is_closed_where_none_is_allowed():
    rows = path([0, 1, 3, 4], lambda t: 9, lambda t: 9)
    assert link(spots(*rows), gap_frames=0)["track"].nunique() == 2


def merging_pair():
    whole = path(range(12), lambda t: 20, lambda t: 20)
    part = path(range(6), lambda t: 20, lambda t: 31 - t)
    return whole, part


def test_a_particle_that_ends_at_the_edge_of_another_merges_into_it():
    whole, part = merging_pair()
    linked = link(spots(*whole, *part, sigma=2.0))
    first, second = linked["track"].iloc[0], linked["track"].iloc[-1]
    assert linked["track"].nunique() == 2
    assert set(linked.loc[linked["track"] == second, "into"]) == {first}
    assert (linked["parent"] == -1).all()


def test_a_particle_that_starts_at_the_edge_of_another_has_split_from_it():
    whole, part = merging_pair()
    back = [(11 - frame, y, x) for frame, y, x in whole + part]
    linked = link(spots(*back, sigma=2.0))
    first, second = linked["track"].iloc[0], linked["track"].iloc[-1]
    assert set(linked.loc[linked["track"] == second, "parent"]) == {first}
    assert (linked["into"] == -1).all()


def test_who_may_not_merge_or_split_does_not():
    whole, part = merging_pair()
    linked = link(spots(*whole, *part, sigma=2.0), merging=False)
    assert (linked["into"] == -1).all()
    back = [(11 - frame, y, x) for frame, y, x in whole + part]
    linked = link(spots(*back, sigma=2.0), splitting=False)
    assert (linked["parent"] == -1).all()


def test_a_blink_beside_another_particle_is_a_gap_and_no_merger():
    still = path(range(10), lambda t: 20, lambda t: 20)
    blinks = path([0, 1, 2, 3, 6, 7, 8, 9], lambda t: 20, lambda t: 25)
    linked = link(spots(*still, *blinks))
    assert linked["track"].nunique() == 2
    assert (linked[["parent", "into"]] == -1).all(axis=None)


def test_a_spot_of_a_single_frame_beside_a_particle_does_not_merge_into_it():
    still = path(range(8), lambda t: 20, lambda t: 20)
    linked = link(spots(*still, (3, 25, 20)))
    assert linked["track"].nunique() == 2
    assert (linked[["parent", "into"]] == -1).all(axis=None)


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(0)
    rows = [(t, *rng.uniform(0, 40, 2)) for t in range(10) for _ in range(12)]
    table = spots(*rows)
    shuffled = table.sample(frac=1, random_state=1)
    one, other = link(table), link(shuffled).sort_index()
    together = one["track"].to_numpy()[:, None] == one["track"].to_numpy()
    again = other["track"].to_numpy()[:, None] == other["track"].to_numpy()
    assert (together == again).all()


def test_a_track_has_one_spot_per_frame():
    rng = np.random.default_rng(0)
    rows = [(t, *rng.uniform(0, 60, 2)) for t in range(20) for _ in range(40)]
    assert not link(spots(*rows)).duplicated(["track", "frame"]).any()


def test_no_spots_give_no_tracks():
    linked = link(spots())
    assert linked.empty
    assert {"track", "parent", "into"} <= set(linked.columns)


@pytest.mark.parametrize("wrong", [{"reach_px": 0.0}, {"gap_frames": -1}])
def test_a_setting_that_is_not_possible_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a reach above 0"):
        link(spots(), **wrong)


def test_thirteen_thousand_spots_are_linked_in_three_seconds_of_one_core():
    rng = np.random.default_rng(0)
    walk = rng.uniform(0, 512, (180, 2)) + np.cumsum(
        rng.normal(0, 0.3, (64, 180, 2)), axis=0
    )
    noise = rng.uniform(0, 512, (64, 20, 2))
    place = np.concatenate([walk, noise], axis=1)
    rows = np.column_stack([np.repeat(np.arange(64), 200), place.reshape(-1, 2)])
    table = spots(*rows.tolist())
    start = time.process_time()
    link(table)
    assert time.process_time() - start < 3
