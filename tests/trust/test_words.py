import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import Verdict
from napari_lowdose.trust.words import in_words

ROW = {
    "support": 1.0,
    "amplitude": 35.2,
    "amplitude_std": 6.9,
    "p_familywise": 0.4,
    "p_held_out": 2.1e-6,
    "direction_min": 6.2,
    "p_phantom": 0.03,
    "verdict": Verdict.SUPPORTED,
}


def test_a_particle_with_all_evidence():
    assert in_words(ROW) == (
        "Seen in all neighbouring frames. "
        "The raw counts of its frame hold 35 ± 6.9 quanta more than around it; those "
        "of the frames before and after hold it too (p = 2e-6). "
        "All directions show it, 6 times above their noise or more. "
        "3 % chance of being a phantom."
    )


def test_a_phantom():
    row = {**ROW, "support": 0.25, "p_held_out": 0.31, "direction_min": 0.2}
    assert in_words({**row, "p_phantom": 0.971, "verdict": Verdict.PHANTOM}) == (
        "Seen in 1 of 4 neighbouring frames. "
        "The raw counts of its frame hold 35 ± 6.9 quanta more than around it; those "
        "of the frames before and after do not show it (p = 0.31). "
        "One of the directions does not show it. "
        "97 % chance of being a phantom."
    )


def test_an_event_of_a_single_frame_is_told_by_its_own_frame():
    row = {**ROW, "support": 0.0, "p_held_out": 0.5, "p_familywise": 3e-9}
    told = in_words({**row, "p_phantom": 0.9, "verdict": Verdict.SINGLE_FRAME})
    assert "Seen in none of the neighbouring frames." in told
    assert "noise has as much anywhere in the movie with p = 3e-9" in told
    assert told.endswith("No other frame confirms it.")
    assert "chance of being a phantom" not in told


def test_a_missed_particle():
    row = {**ROW, "p_familywise": 0.002, "p_phantom": np.nan, "support": np.nan}
    assert in_words({**row, "verdict": Verdict.MISSED, "direction_min": np.nan}) == (
        "Not shown by the estimate. "
        "The raw counts of its frame hold 35 ± 6.9 quanta more than around it; noise "
        "has as much anywhere in the movie with p = 0.002."
    )


def test_a_dark_particle_has_fewer_quanta():
    assert "hold 35 ± 6.9 quanta fewer than around it" in in_words(
        {**ROW, "amplitude": -35.2}
    )


@pytest.mark.parametrize("name", sorted(set(ROW) - {"verdict"}))
def test_what_is_not_known_is_left_out(name):
    unknown, absent = {**ROW, name: np.nan}, {k: v for k, v in ROW.items() if k != name}
    assert in_words(unknown) == in_words(absent)
    assert "nan" not in in_words(unknown)


def test_nothing_known():
    assert in_words({}) == "Nothing is known about it."


def test_a_row_of_a_table_will_do():
    table = pd.DataFrame([ROW])
    assert in_words(table.iloc[0]) == in_words(ROW)


@pytest.mark.parametrize(
    ("chance", "told"),
    [(0.0004, "Less than 1 %"), (0.5, "50 %"), (0.9999, "More than 99 %")],
)
def test_no_chance_is_certain(chance, told):
    assert told in in_words({**ROW, "p_phantom": chance})


def test_tiny_p_are_not_zero():
    assert "p < 1e-12" in in_words({**ROW, "p_held_out": 0.0})


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "none of the"), (1 / 3, "1 of 3"), (0.5, "half of the"), (0.75, "3 of 4")],
)
def test_support_is_told_in_frames(share, told):
    assert f"Seen in {told} neighbouring frames." in in_words({**ROW, "support": share})
