import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import (
    Truth,
    assign,
    at_recall,
    detect,
    score_detections,
)
from napari_lowdose.specimens import Catalyst
from napari_lowdose.specimens.catalyst import render_catalyst

SHAPE = (1, 60, 60)


def particles(*rows):
    """Rows of frame, id, y, x, radius, visible."""
    columns = ["frame", "id", "y", "x", "radius", "visible"]
    table = pd.DataFrame(rows, columns=columns)
    kinds = {"y": float, "x": float, "radius": float, "visible": bool}
    return table.astype(kinds)


def detections(*rows):
    """Rows of frame, y, x, response."""
    columns = ["frame", "y", "x", "response"]
    return pd.DataFrame(rows, columns=columns).astype({"y": float, "x": float})


THREE = particles(
    (0, 1, 10, 10, 3, True),  # found, and once more
    (0, 2, 10, 40, 3, True),  # missed
    (0, 3, 40, 10, 3, False),  # dark, but a detection is there: a ghost
)
FOUR = detections(
    (0, 10, 11, 9.0), (0, 12, 10, 5.0), (0, 40, 12, 3.0), (0, 40, 40, 2.0)
)


def test_three_particles_and_four_detections_are_told_apart_exactly():
    score = score_detections(FOUR, Truth.of(THREE, SHAPE))
    assert (score.n_counted, score.n_found, score.n_detections) == (2, 1, 4)
    assert (score.n_matched, score.n_phantoms, score.n_ghosts) == (1, 1, 1)
    assert score.recall == 0.5
    assert score.precision == 0.75
    assert score.phantoms_per_frame == 1
    assert score.ghosts_per_frame == 1


def test_a_threshold_leaves_the_weaker_detections_out():
    score = score_detections(FOUR, Truth.of(THREE, SHAPE), threshold=3.0)
    assert (score.n_detections, score.n_phantoms, score.n_ghosts) == (3, 0, 1)


def test_as_many_pairs_as_possible_are_made_then_the_nearest():
    particle = np.array([[0.0, 0.0], [0.0, 3.0]])
    detected = np.array([[0.0, 1.0], [0.0, -2.0]])
    # greedily the first detection would take the nearer particle, 1 px away
    pairs = assign(particle, np.array([2.5, 2.5]), detected)
    assert pairs.tolist() == [[0, 1], [1, 0]]
    pairs = assign(particle, np.array([9.0, 0.5]), detected)
    assert pairs.tolist() == [[0, 0]]


def test_a_small_particle_may_be_missed_by_two_pixels():
    truth = Truth.of(particles((0, 1, 30, 30, 0.5, True)), SHAPE)
    for away, found in [(2, 1), (3, 0)]:
        assert score_detections(detections((0, 30, 30 + away, 1.0)), truth).n_found == (
            found
        )


def test_a_particle_that_has_just_gone_leaves_a_ghost_later_a_phantom():
    truth = Truth.of(particles((0, 1, 30, 30, 3, True)), (12, 60, 60))
    for frame, ghosts in [(1, 1), (5, 1), (6, 0)]:
        score = score_detections(detections((frame, 30, 31, 1.0)), truth)
        assert (score.n_ghosts, score.n_phantoms) == (ghosts, 1 - ghosts)


def test_nothing_is_counted_at_the_rim():
    truth = Truth.of(particles((0, 1, 2, 30, 3, True)), SHAPE)
    score = score_detections(detections((0, 30, 1, 1.0)), truth)
    assert (score.n_counted, score.n_detections, score.n_phantoms) == (0, 0, 0)
    assert np.isnan(score.recall)


def test_recall_asks_only_for_what_a_frame_can_show():
    faint = np.full(SHAPE, 1.0)
    bright = faint.copy()
    bright[0, 28:33, 28:33] += 3
    table = particles((0, 1, 30, 30, 3, True))
    for electrons, n in [(faint, 0), (bright, 1)]:
        assert Truth.of(table, SHAPE, electrons=electrons).n_counted == n


def test_recall_asks_only_for_what_the_clean_movie_shows():
    merged = particles((0, 1, 30, 30, 3, True), (0, 2, 30, 32, 3, True))
    truth = Truth.of(merged, SHAPE, clean=detections((0, 30, 31, 1.0)))
    assert truth.n_counted == 1


def test_the_threshold_for_a_recall_is_the_highest_that_reaches_it():
    table = particles(*((0, i, 10 * i, 10 * i, 3, True) for i in range(1, 6)))
    found = detections(*((0, 10 * i, 10 * i, float(i)) for i in range(1, 6)))
    truth = Truth.of(table, SHAPE)
    for recall, threshold in [(0.2, 5), (0.6, 3), (0.7, 2), (1.0, 1)]:
        assert at_recall(found, truth, recall).threshold == threshold
    assert at_recall(found.iloc[1:], truth, 0.9) is None


def test_phantoms_stronger_than_particles_are_all_let_in():
    table = particles((0, 1, 30, 30, 3, True))
    found = detections((0, 30, 30, 1.0), (0, 10, 10, 2.0), (0, 50, 50, 0.5))
    assert at_recall(found, Truth.of(table, SHAPE)).n_phantoms == 1


def test_a_movie_without_particles_has_no_recall():
    none = Truth.of(particles(), SHAPE)
    assert at_recall(FOUR, none) is None
    assert score_detections(FOUR, none).n_phantoms == 4


@pytest.mark.parametrize("seed", range(3))
def test_in_a_clean_movie_everything_is_found_without_a_phantom(seed):
    scene = render_catalyst(Catalyst(frames=12, size=96, n_particles=10, seed=seed))
    frames = scene.stack.read()
    found = detect(frames, sigmas_px=(2.0, 2.8, 4.0))
    truth = Truth.of(scene.particles, frames.shape, electrons=frames, clean=found)
    assert truth.n_counted > 40
    score = at_recall(found, truth, 1.0)
    assert score.recall == 1
    assert score.phantoms_per_frame == 0
