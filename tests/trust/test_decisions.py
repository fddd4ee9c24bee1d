from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_lowdose.stack import Stack
from napari_lowdose.trust import decisions
from napari_lowdose.trust.decisions import Decision, decided, fingerprint, remember

KEEP, REJECT, UNDECIDED = Decision.KEEP, Decision.REJECT, Decision.UNDECIDED


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Leave the user's folder alone."""
    monkeypatch.setattr(decisions, "user_data_path", lambda *_, **__: tmp_path)
    return tmp_path


@pytest.fixture
def particles():
    """Two particles in one frame, and one in the next."""
    return pd.DataFrame(
        {"frame": [3, 3, 4], "y": [10.0, 20.0, 10.0], "x": [5.0, 5.0, 5.0]}
    )


def test_decisions_come_back(particles):
    remember(particles.assign(decision=[KEEP, REJECT, UNDECIDED]), "a")
    assert decided(particles, "a") == [KEEP, REJECT, UNDECIDED]
    assert decided(particles, "b") == [UNDECIDED] * 3


def test_the_same_particle_is_known_where_another_model_finds_it(particles):
    remember(particles.assign(decision=[KEEP, REJECT, REJECT]), "a")
    moved = particles.assign(y=particles["y"] + 1.2, x=particles["x"] - 1.2)
    assert decided(moved, "a") == [KEEP, REJECT, REJECT]
    other = particles.assign(y=particles["y"] + 4)
    assert decided(other, "a") == [UNDECIDED] * 3


def test_a_later_decision_takes_the_place_of_an_earlier_one(particles):
    remember(particles.assign(decision=[KEEP, KEEP, KEEP]), "a")
    moved = particles.iloc[:1].assign(y=11.0, decision=UNDECIDED)
    remember(moved, "a")
    assert decided(particles, "a") == [UNDECIDED, KEEP, KEEP]


def test_two_panels_do_not_forget_what_the_other_one_saved(particles):
    remember(particles.iloc[:1].assign(decision=KEEP), "a")
    remember(particles.iloc[1:2].assign(decision=REJECT), "a")
    assert decided(particles, "a") == [KEEP, REJECT, UNDECIDED]


@pytest.mark.parametrize(
    "text", ["", "[", "[]", '{"decisions": [[1, 2]]}', '{"decisions": [[1,2,3,"?"]]}']
)
def test_a_damaged_file_counts_as_empty_and_can_be_written_again(
    particles, own_folder, text
):
    (own_folder / "decisions").mkdir()
    (own_folder / "decisions" / "a.json").write_text(text)
    assert decided(particles, "a") == [UNDECIDED] * 3
    remember(particles.assign(decision=KEEP), "a")
    assert decided(particles, "a") == [KEEP] * 3


def test_nothing_to_decide_on_is_no_fault(particles):
    remember(particles.iloc[:0].assign(decision=[]), "a")
    assert decided(particles.iloc[:0], "a") == []


def test_a_stack_is_known_by_its_counts():
    counts = np.random.default_rng(0).poisson(3.0, (40, 16, 16)).astype(np.uint16)
    name = fingerprint(Stack(counts, name="one"))
    assert fingerprint(Stack(counts.copy(), name="other")) == name
    changed = counts.copy()
    changed[0, 0, 0] += 1
    assert fingerprint(Stack(changed)) != name
    assert fingerprint(Stack(counts.astype(np.float32))) != name
    assert fingerprint(Stack(counts[:39])) != name
