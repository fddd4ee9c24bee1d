"""The whole way from a stack to a table of particles."""

import numpy as np
import pandas as pd
import pytest

from napari_lowdose.config import (
    Compute,
    Denoising,
    Detector,
    Inspecting,
    Plane,
    Polarity,
)
from napari_lowdose.denoiser import exhausted
from napari_lowdose.noise import Noise, Poisson, add_noise
from napari_lowdose.particles import Source, Verdict, suspicion
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.stack import Stack
from napari_lowdose.trust import asking_noise, inspecting, summary_of

SETTINGS = Inspecting(denoising=Denoising(compute=Compute(threads=1)))


@pytest.fixture(scope="module")
def movie():
    scene = SPECIMENS["catalyst"].render(Catalyst(frames=24, size=64, n_particles=6))
    noisy, truth = add_noise(scene.stack, Noise(dose=2.0, stages=(Poisson(),), seed=1))
    return noisy, truth, scene.particles


@pytest.fixture(scope="module")
def seen(movie):
    return exhausted(inspecting(movie[0], SETTINGS))


def test_most_particles_of_a_clear_movie_are_found_and_supported(movie, seen):
    found = summary_of(seen, movie[2])
    assert seen.tested
    # at 2 quanta the particles hold some 100 each: few are lost, at rims and mergers
    assert found["true_recall"] > 0.7
    assert found["true_precision"] > 0.9


def test_maps_and_estimates_have_the_movies_place(movie, seen):
    assert set(seen.estimates) == {"xy", "xt", "yt", "fused"}
    assert set(seen.maps) == {"residual", "disagreement_z", "evidence", "likelihood"}
    for stack in (*seen.estimates.values(), *seen.maps.values()):
        assert stack.shape == movie[0].shape
        assert stack.scale == movie[0].scale


def test_directions_that_see_the_same_are_no_witnesses(movie):
    fast = exhausted(inspecting(movie[0], SETTINGS, model="fast"))
    assert "direction_min" not in fast.particles or (
        fast.particles["direction_min"].isna().all()
    )
    assert any("agreement proves nothing" in note for note in fast.notes)


def test_what_x_y_alone_shows_is_judged_as_such(movie):
    alone = SETTINGS.denoising.model_copy(update={"planes": (Plane.XY,)})
    settings = SETTINGS.model_copy(update={"denoising": alone})
    seen = exhausted(inspecting(movie[0], settings)).particles
    for source in Source:
        judged = suspicion(seen, source=source)["p_phantom"]
        assert judged.equals(seen["p_phantom"]) == (source is Source.XY)


def test_dark_particles_are_looked_for_where_they_stand_out(movie):
    _, truth, particles = movie
    bright = truth.read()
    dark = bright.max() - bright  # as strong, on a ground that is brighter
    counts = np.random.default_rng(0).poisson(dark).astype(np.uint16)
    found = exhausted(
        inspecting(Stack(counts), SETTINGS, estimate=Stack(dark.astype(np.float32)))
    )
    assert any("dark particles" in note for note in found.notes)
    shown = found.particles[found.particles["verdict"] != Verdict.MISSED]
    assert (shown["response"] < 0).all()
    # the estimate is the truth: what it shows is there
    assert summary_of(found, particles)["true_precision"] > 0.9
    tested = exhausted(asking_noise(Stack(counts), SETTINGS, model="fast"))
    assert any("dark particles" in note for note in tested.notes)
    asked = SETTINGS.model_copy(update={"polarity": Polarity.BRIGHT})
    other = exhausted(
        inspecting(Stack(counts), asked, estimate=Stack(dark.astype(np.float32)))
    )
    assert (other.particles["response"].dropna() > 0).all()
    assert not any("dark particles" in note for note in other.notes)


def test_a_given_estimate_has_no_directions_but_is_tested(movie):
    noisy, truth, _ = movie
    given = exhausted(inspecting(noisy, SETTINGS, estimate=truth))
    assert given.tested
    assert set(given.estimates) == {"fused"}
    assert given.particles["p_held_out"].notna().any()


def test_filtered_counts_are_not_tested_and_the_reason_is_told(movie):
    noisy, truth, _ = movie
    raw = noisy.read().astype(np.float32)
    # neighbours along x averaged: they share half of their noise
    blurred = Stack((raw + np.roll(raw, 1, axis=2)) / 2, "blurred")
    aside = exhausted(inspecting(blurred, SETTINGS, estimate=truth))
    assert not aside.tested
    assert aside.courses.empty
    assert any("switched off" in note for note in aside.notes)
    assert aside.particles.get("p", pd.Series(dtype=float)).isna().all()


def test_an_estimate_without_particles_gives_an_empty_table(movie):
    noisy, _, _ = movie
    flat = Stack(np.full(noisy.shape, 2.0, np.float32), "flat")
    none = exhausted(inspecting(noisy, SETTINGS, estimate=flat))
    shown = none.particles
    assert not (shown["verdict"] != Verdict.MISSED).any()


def test_an_estimate_of_another_shape_is_refused(movie):
    noisy, truth, _ = movie
    small = truth.with_data(truth.read()[:, :32], "cropped")
    with pytest.raises(ValueError, match="without cropping"):
        exhausted(inspecting(noisy, SETTINGS, estimate=small))


def test_a_given_detector_stands(movie):
    noisy, truth, _ = movie
    told = SETTINGS.model_copy(update={"detector": Detector(gain=2.0)})
    half = exhausted(inspecting(noisy, told, estimate=truth)).particles
    full = exhausted(inspecting(noisy, SETTINGS, estimate=truth)).particles
    both = full.merge(half, on=["frame", "y", "x"], suffixes=("", "_half"))
    both = both[both["evidence"] > 20]
    # twice the counts per quantum are half the quanta; the measured gain is near 1
    ratio = (both["amplitude_half"] / both["amplitude"]).median()
    assert ratio == pytest.approx(0.5, abs=0.1)


def test_noise_alone_is_denoised_and_reported(movie):
    tested = exhausted(asking_noise(movie[0], SETTINGS, model="fast"))
    assert tested.report.n_frames == 24
    assert tested.report.invented_per_frame < tested.report.real_per_frame
    assert {stack.shape for stack in tested.movies.values()} == {movie[0].shape}
