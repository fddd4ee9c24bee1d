"""What a denoiser shows where there are no particles."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_lowdose.base_models import fitted
from napari_lowdose.config import Compute, Polarity
from napari_lowdose.denoiser import Denoised, Progress, exhausted
from napari_lowdose.noise import Noise, Poisson, Readout, add_noise, measure_noise
from napari_lowdose.noise.stages import Quantize, Response
from napari_lowdose.particles.detection import detect_above
from napari_lowdose.trust.null_movie import null_movie, null_testing, same_threshold
from napari_lowdose.trust.null_report import (
    NullReport,
    false_discovery,
    poisson_interval,
)

SETTLED = [one for one in Polarity if one is not Polarity.AUTO]


def smoothing(counts):
    """Denoise frame by frame, little enough to invent spots."""
    fused = ndimage.gaussian_filter(counts.astype(np.float32), (0, 1.2, 1.2))
    yield Progress(len(counts), len(counts))
    return Denoised(fused, {}, None)


def perfect(counts):
    """Know that there is nothing."""
    yield Progress(1, 1)
    return Denoised(np.full(counts.shape, counts.mean(), np.float32), {}, None)


def spots(frame, y, x, *, movie=0, response=1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {"frame": frame, "y": y, "x": x, "sigma": 1.0, "response": response}
    ).assign(movie=movie)


@pytest.fixture(scope="module")
def tested(movie):
    """The null test of a simple denoiser on a movie of one quantum per pixel."""
    noisy = movie(1.0)[0].read()
    estimate = exhausted(smoothing(noisy)).fused
    find = same_threshold(estimate, 3.0)
    steps = null_testing(
        smoothing,
        noisy,
        estimate,
        measure_noise(noisy),
        find=find,
        n_movies=2,
        rng=np.random.default_rng(0),
    )
    seen = []
    return exhausted(steps, seen.append), find, seen


@pytest.mark.parametrize("polarity", SETTLED)
def test_thresholds_of_an_estimate_find_in_it_what_its_own_search_finds(
    movie, polarity
):
    estimate = exhausted(smoothing(movie(1.0)[0].read())).fused
    scales = (2.5, 1.0, 1.6)
    find = same_threshold(estimate, 4.0, sigmas_px=scales, polarity=polarity)
    own = detect_above(estimate, 4.0, sigmas_px=scales, polarity=polarity)
    pd.testing.assert_frame_equal(find(estimate), own)


def test_thresholds_stay_those_of_the_estimate(movie):
    estimate = exhausted(smoothing(movie(1.0)[0].read())).fused
    find = same_threshold(estimate, 4.0)
    assert len(find(0.1 * estimate)) == 0
    assert len(find(10 * estimate)) > len(find(estimate)) > 0


@pytest.mark.parametrize("polarity", SETTLED)
def test_nothing_is_found_in_the_background(movie, polarity):
    noisy, truth = (stack.read() for stack in movie(1.0))
    find = same_threshold(truth, 3.0, polarity=polarity)
    _, background = null_movie(
        noisy, truth, measure_noise(noisy), np.random.default_rng(0), find=find
    )
    assert len(find(truth))
    assert find(background).empty


def test_a_crystal_leaves_an_even_background():
    # finer than any window, and found everywhere
    y, x = np.mgrid[:64, :64]
    lattice = 2 + np.sin(2 * np.pi * y / 9) + np.sin(2 * np.pi * x / 9)
    truth = np.broadcast_to(lattice, (12, 64, 64)).astype(np.float32)
    noisy = np.random.default_rng(0).poisson(truth).astype(np.float32)

    def find(stack):
        return detect_above(stack, 3.0, noise_std=0.01)

    _, background = null_movie(
        noisy, truth, measure_noise(noisy), np.random.default_rng(0), find=find
    )
    assert find(background).empty
    np.testing.assert_allclose(background, 2, atol=0.3)


def test_a_null_movie_has_the_noise_of_its_detector(clean):
    camera = Readout(gain=4.0, offset=100.0, readout_std=3.0)
    noise = Noise(dose=5.0, stages=(Poisson(), camera, Quantize()))
    noisy, truth = (stack.read() for stack in add_noise(clean, noise))
    measured = measure_noise(noisy, offset=100.0)
    movie, background = null_movie(noisy, truth, measured, np.random.default_rng(0))
    assert movie.dtype == noisy.dtype
    left = movie - background.astype(np.float64)
    variance = measured.gain.value * (float(background.mean()) - 100)
    variance += measured.readout_std.value**2 + 1 / 12  # and rounding
    # of 55,296 values; the mean is good to a deviation over 235
    assert left.mean() == pytest.approx(0, abs=4 * np.sqrt(variance / left.size))
    # and the variance to 0.6 %
    assert left.var() == pytest.approx(variance, rel=0.024)


def test_the_same_seed_gives_the_same_null_movie(movie):
    noisy, truth = (stack.read() for stack in movie(0.3))
    first, second, other = (
        null_movie(noisy, truth, measure_noise(noisy), np.random.default_rng(s))[0]
        for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_inputs_of_a_null_movie_stay_as_they_are(movie):
    noisy, truth = (stack.read().copy() for stack in movie(0.3))
    for array in (noisy, truth):
        array.setflags(write=False)
    null_movie(noisy, truth, measure_noise(noisy), np.random.default_rng(0))


def test_a_poor_denoiser_is_seen_to_invent(tested):
    test, find, _ = tested
    report = test.report
    assert report.n_frames == len(test.movie)
    last = report.invented[report.invented["movie"] == 1]
    assert len(last) == len(find(test.estimate)) > 0
    low, high = report.interval
    assert low < report.invented_per_frame < high
    assert 0 < report.share < 1
    assert "separate fluctuation" in report.in_words[0]
    assert "could be invented" in report.in_words[1]


def test_progress_goes_over_all_null_movies(tested):
    _, _, seen = tested
    n_frames = len(tested[0].movie)
    assert [(p.done, p.total) for p in seen] == [
        (n_frames, 2 * n_frames),
        (2 * n_frames, 2 * n_frames),
    ]


def test_the_curve_falls_with_the_threshold_and_counts_all_at_its_start(tested):
    report = tested[0].report
    curve = report.curve
    assert (np.diff(curve["real"]) <= 0).all()
    assert (np.diff(curve["invented"]) <= 0).all()
    # the least threshold is rounded like the least response
    assert curve["invented"][0] == pytest.approx(report.invented_per_frame, abs=0.05)


def test_the_report_is_written_as_plain_numbers(tested):
    content = tested[0].report.content
    assert json.loads(json.dumps(content)) == content


def test_a_perfect_denoiser_invents_nothing(movie):
    noisy, truth = (stack.read() for stack in movie(1.0))
    steps = null_testing(
        perfect,
        noisy,
        truth,
        measure_noise(noisy),
        find=same_threshold(truth, 5.0),
        rng=np.random.default_rng(0),
    )
    report = exhausted(steps).report
    assert report.invented_per_frame == report.share == 0
    # none of 24 frames: fewer than 3.69 / 24 in 97.5 of 100 cases
    assert report.interval == pytest.approx((0, 3.689 / 24), rel=1e-3)
    assert "no particle" in report.in_words[0]
    assert (report.false_discovery == 0).all()


def test_a_movie_without_particles_is_no_error(movie):
    noisy, truth = (stack.read() for stack in movie(1.0))
    flat = np.full(truth.shape, truth.mean(), np.float32)
    steps = null_testing(
        perfect,
        noisy,
        flat,
        measure_noise(noisy),
        find=same_threshold(truth, 5.0),
        rng=np.random.default_rng(0),
    )
    report = exhausted(steps).report
    assert report.share == 0
    assert report.curve.empty
    assert "shows none" in report.in_words[1]


def test_noise_that_pixels_share_is_said_to_be_missing(clean):
    noise = Noise(dose=5.0, stages=(Poisson(), Response()))
    noisy, truth = (stack.read() for stack in add_noise(clean, noise))
    measured = measure_noise(noisy)
    steps = null_testing(
        perfect,
        noisy,
        truth,
        measured,
        find=same_threshold(truth, 5.0),
        rng=np.random.default_rng(0),
    )
    assert "share noise" in exhausted(steps).report.in_words[-1]


def test_spots_of_one_fluctuation_count_as_one():
    lasting = spots([3, 4, 5], [10.0, 11.0, 10.0], [20.0, 20.0, 21.0])
    elsewhere = spots([4], [40.0], [20.0])
    later = spots([9], [10.0], [20.0])
    in_another = spots([4], [10.0], [20.0], movie=1)
    invented = pd.concat([lasting, elsewhere, later, in_another], ignore_index=True)
    report = NullReport(20, 2, invented, invented)
    assert sorted(report.separate) == [1, 1, 1, 3]
    alone = NullReport(20, 2, spots(range(0, 12, 2), 5.0, 5.0), invented)
    # as many spots, but all of them apart: the number is better known
    assert np.diff(alone.interval) < np.diff(report.interval)


@pytest.mark.parametrize("mean", [0.5, 3.0, 20.0])
def test_the_interval_of_a_count_holds_the_mean_in_95_of_100_cases(mean):
    counts = np.random.default_rng(0).poisson(mean, 2000).tolist()
    intervals = {count: poisson_interval(count) for count in set(counts)}
    held = [intervals[count][0] <= mean <= intervals[count][1] for count in counts]
    # 95 % or more, since counts are whole; 2000 trials are good to 0.5 %
    assert np.mean(held) > 0.95 - 0.015


STRENGTHS = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 9))


@given(STRENGTHS, STRENGTHS, st.integers(1, 3))
def test_stronger_detections_are_never_less_sure(real, invented, n_movies):
    share = false_discovery(real, invented, n_movies=n_movies)
    order = np.argsort(real)
    assert ((share >= 0) & (share <= 1)).all()
    assert (np.diff(share[order]) <= 0).all()
    weakest = real == real.min()
    above = np.sum(invented >= real.min()) / (n_movies * len(real))
    np.testing.assert_allclose(share[weakest], min(above, 1.0))


def test_false_discoveries_are_as_many_as_estimated():
    rng = np.random.default_rng(0)
    true, false, null = rng.normal(3, 1, 3000), *rng.normal(0, 1, (2, 3000))
    real = np.concatenate([true, false])
    share = false_discovery(real, null)
    for accepted in (0.05, 0.2):
        kept = share <= accepted
        actual = np.mean(np.flatnonzero(kept) >= len(true))
        # some 150 and 700 false ones, on both sides: 12 % and 5 % of these
        assert actual == pytest.approx(accepted, rel=0.3)


def test_a_base_model_is_tested(tiny_base, noisy):
    noisy = noisy[:12, :32, :32]
    denoiser, _ = fitted(tiny_base, noisy, Compute(threads=1, precision="float32"))
    estimate = denoiser(noisy)
    steps = null_testing(
        denoiser.denoising,
        noisy,
        estimate,
        measure_noise(noisy),
        find=same_threshold(estimate, 4.0),
        rng=np.random.default_rng(0),
    )
    test = exhausted(steps)
    assert test.estimate.shape == noisy.shape
    assert np.isfinite(test.estimate).all()
