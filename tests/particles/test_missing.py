import numpy as np
import pandas as pd
import pytest

from napari_lowdose import particles
from napari_lowdose.particles import (
    Polarity,
    detect_above,
    evidence_map,
    link,
    missed,
    suspicion,
    temporal_support,
)

SIGMA = 1.6
PLACES = [(30, 20), (30, 60)]


def expected(shape=(6, 96, 96), *, quanta=120.0):
    """Give a flat film with two spots that stay."""
    y, x = np.mgrid[: shape[1], : shape[2]]
    film = np.ones(shape)
    for row, column in PLACES:
        spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * SIGMA**2))
        film += quanta * spot / (2 * np.pi * SIGMA**2)
    return film


def shown(estimate, electrons):
    """Find and test what an estimate shows."""
    spots = temporal_support(link(detect_above(estimate, 5.0)), n_frames=len(estimate))
    tested = particles.test_spots(electrons, spots)
    return particles.test_in_neighbours(electrons, tested)


def add_missed(spots, electrons, polarity=Polarity.BRIGHT):
    seen = evidence_map(electrons, SIGMA, polarity=polarity)
    return missed(spots, electrons, seen, SIGMA)


@pytest.fixture(scope="module")
def electrons():
    return np.random.default_rng(0).poisson(expected()).astype(float)


def test_what_the_estimate_leaves_out_is_added_and_nothing_else(electrons):
    estimate = expected()
    estimate[:, :, 40:] = 1.0  # the second spot
    spots = shown(estimate, electrons)
    whole = add_missed(spots, electrons)
    added = whole[whole["n_std"].isna()]
    assert added["frame"].tolist() == list(range(6))
    # a spot of 120 quanta is placed to 1.6 / sqrt(120) px; the map has whole pixels
    away = np.hypot(added["y"] - PLACES[1][0], added["x"] - PLACES[1][1])
    assert away.max() < 1.5
    assert (added["p_familywise"] < 0.05).all()
    assert added["response"].isna().all()
    assert set(suspicion(added)["verdict"]) == {"missed"}
    kept = whole[whole["n_std"].notna()].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, spots)


def test_missed_ones_have_tracks_of_their_own(electrons):
    spots = shown(np.ones(electrons.shape), electrons)
    whole = add_missed(spots, electrons)
    assert len(whole) == 12
    assert whole["track"].is_unique
    assert whole["track"].dtype == np.int64


def test_nothing_is_missed_where_all_is_shown(electrons):
    spots = shown(expected(), electrons)
    pd.testing.assert_frame_equal(add_missed(spots, electrons), spots)


def test_noise_is_not_missed():
    noise = np.random.default_rng(1).poisson(1.0, (6, 96, 96)).astype(float)
    spots = shown(np.ones((6, 96, 96)), noise)
    # one movie in 20 may have one; this seed has none
    assert add_missed(spots, noise).empty


def test_dark_ones_are_missed_where_they_are_looked_for():
    film = 21 - expected(quanta=250.0)
    counts = np.random.default_rng(0).poisson(film).astype(float)
    spots = shown(np.full(film.shape, 20.0), counts)
    added = add_missed(spots, counts, Polarity.DARK)
    assert len(added) == 12
    assert (added["amplitude"] < 0).all()
