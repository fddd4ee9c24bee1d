"""Pairs that do not belong together, and movies that cannot be tested."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_lowdose.noise import (
    Measured,
    Noise,
    Poisson,
    Readout,
    Source,
    add_noise,
    measure_noise,
)
from napari_lowdose.noise.stages import Afterglow, Gaussian, Response
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.stack import Stack
from napari_lowdose.trust import checks
from napari_lowdose.trust.checks import check_pair, electrons_of, refuse_gaps
from napari_lowdose.trust.shift import shift_between

CAMERA = Readout(gain=2.0, offset=100.0, readout_std=3.0)


def smoothed(noisy: np.ndarray) -> np.ndarray:
    """A simple denoiser, in which traces of the noise are left."""
    return ndimage.gaussian_filter(noisy.astype(np.float32), (1, 1.5, 1.5))


@pytest.fixture(scope="module")
def spots():
    """Noisy and true movies of many spots that move, by dose."""
    rng = np.random.default_rng(7)
    here, there = (
        ndimage.gaussian_filter(rng.random((72, 88)) < 0.01, 1.5, output=float)
        for _ in range(2)
    )
    # Against each other, so that no shift in space is like one in time.
    frames = [
        here[t : t + 56, 2 * t : 2 * t + 64] + there[:56, 24 - 2 * t : 88 - 2 * t]
        for t in range(12)
    ]
    brightness = 1 + 40 * np.stack(frames)
    kept = {}

    def at(dose: float) -> tuple[np.ndarray, np.ndarray]:
        if dose not in kept:
            truth = dose * brightness / brightness.mean()
            noisy = np.random.default_rng(3).poisson(truth).astype(np.float32)
            kept[dose] = noisy, truth.astype(np.float32)
        return kept[dose]

    return at


@pytest.fixture(scope="module")
def catalyst() -> Stack:
    """A specimen that is large enough to read the noise off its movie."""
    settings = Catalyst(frames=24, size=80, n_particles=8, motion_px=0.4)
    return SPECIMENS["catalyst"].render(settings).stack


def judged(counts: np.ndarray) -> tuple[bool, tuple[str, ...]]:
    return checks.testable(measure_noise(counts))


def recorded(specimen: Stack, dose: float, *stages) -> np.ndarray:
    return add_noise(specimen, Noise(dose=dose, stages=stages or (Poisson(),)))[
        0
    ].read()


STEPS = st.tuples(
    st.integers(-2, 2),  # of 12 frames, 56 rows and 64 columns a quarter is looked at
    st.integers(-12, 12),
    st.integers(-12, 12),
)


@given(STEPS, st.sampled_from([0.3, 1.0, 10.0]), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_shift_is_found_to_the_pixel_and_frame_from_a_third_of_a_count(
    spots, shift, dose, clean
):
    assume(any(shift))
    noisy, truth = spots(dose)
    estimate = truth if clean else smoothed(noisy)
    moved = np.roll(estimate, shift, (0, 1, 2))
    found = shift_between(noisy, moved)
    assert (found.frames, found.rows, found.columns) == tuple(-n for n in shift)


@pytest.mark.parametrize(("dose", "seed"), [(0.3, 0), (0.3, 1), (1.0, 0), (10.0, 0)])
def test_a_pair_that_belongs_together_is_let_be(movie, dose, seed):
    noisy, truth = movie(dose, seed)
    raw = noisy.read()
    wide = ndimage.gaussian_filter(raw.astype(np.float32), (2, 4, 4))
    for estimate in (truth.read(), smoothed(raw), wide, raw):
        assert check_pair(noisy, noisy.with_data(estimate, "estimate")) == ()


def test_a_denoised_flat_movie_belongs_to_it():
    noisy = np.random.default_rng(0).poisson(0.3, (16, 48, 48)).astype(np.float32)
    for estimate in (smoothed(noisy), np.full(noisy.shape, 0.3, np.float32)):
        assert check_pair(Stack(noisy), Stack(estimate)) == ()


def test_a_shift_is_told_with_what_would_undo_it(spots):
    noisy, truth = spots(1.0)
    moved = np.roll(truth, (1, 0, -4), (0, 1, 2))
    (sentence,) = check_pair(Stack(noisy), Stack(moved))
    assert "moved by -1 in t (frames), +4 in x (pixels)" in sentence


def test_a_hot_pixel_is_no_landmark(spots):
    noisy, truth = spots(0.3)
    hot = noisy.copy()
    hot[:, 20, 30] = 5000
    moved = np.roll(truth, (0, 0, 2), (0, 1, 2))
    moved[:, 20, 30] = 5000
    assert shift_between(hot, moved).columns == -2


def test_an_uneven_lighting_does_not_hide_a_shift(spots):
    noisy, truth = spots(1.0)
    lighting = np.linspace(0, 4, 64, dtype=np.float32)
    moved = np.roll(truth, (0, 0, 3), (0, 1, 2)) + lighting
    assert shift_between(noisy + lighting, moved).columns == -3


def test_another_recording_is_told(spots):
    noisy, truth = spots(1.0)
    (sentence,) = check_pair(Stack(noisy), Stack(truth[:, ::-1].copy()))
    assert "Nothing of the estimate is found" in sentence


def test_shapes_that_differ_are_refused(spots):
    noisy, truth = spots(1.0)
    with pytest.raises(ValueError, match=r"\(12, 56, 64\), got \(12, 56, 32\)"):
        check_pair(Stack(noisy), Stack(truth[:, :, ::2]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: (e - e.min()) / np.ptp(e), "normalised"),
        (lambda e: (e - e.mean()) / e.std(), "normalised"),
        (lambda e: e - 100, "offset"),
        (lambda e: (e - 100) / 2, "offset"),
        (lambda e: 120 + 0.1 * (e - 120), "contrast"),
    ],
)
def test_an_estimate_on_another_scale_is_told(movie, change, said):
    truth = 100 + 2 * movie(10.0)[1].read()
    noisy = 100 + 2 * movie(10.0)[0].read()
    sentences = check_pair(Stack(noisy), Stack(change(truth)))
    assert sentences
    assert all("same counts" in sentence for sentence in sentences)
    assert any(said in sentence for sentence in sentences)


def test_of_a_large_stack_only_the_middle_is_read():
    class Large:
        shape = (5000, 4096, 4096)
        dtype = np.dtype(np.uint8)
        read = 0

        def __getitem__(self, key):
            sizes = [s.stop - s.start for s in key]
            self.read += int(np.prod(sizes))
            return np.random.default_rng(0).poisson(3, (2, 32, 32)).astype(np.uint8)

    noisy, estimate = Large(), Large()
    check_pair(Stack(noisy), Stack(estimate))
    assert noisy.read == estimate.read == 64 * 256 * 256


def test_counted_quanta_are_tested_without_a_caveat(catalyst):
    for dose in (0.3, 1.0, 10.0):
        assert judged(recorded(catalyst, dose)) == (True, ())


def test_a_measured_gain_is_a_caveat_with_its_interval(catalyst):
    fit, caveats = judged(recorded(catalyst, 10.0, Poisson(), CAMERA))
    assert fit
    assert "counts per quantum" in caveats[0]


def test_an_offset_that_was_assumed_is_a_caveat(catalyst):
    counts = recorded(catalyst, 10.0, Poisson(), CAMERA)
    known = checks.testable(measure_noise(counts, offset=100.0))[1]
    guessed = judged(counts)[1]
    assert not any("dark level" in caveat for caveat in known)
    assert any("dark level" in caveat for caveat in guessed)


@pytest.mark.parametrize(
    "stage",
    [Response(), Response(mtf_cutoff=0.5, mtf_power=0.5), Afterglow(afterglow_px=0.7)],
)
def test_noise_that_pixels_share_switches_the_tests_off(catalyst, stage):
    fit, reasons = judged(recorded(catalyst, 5.0, Poisson(), stage))
    assert not fit
    assert "neighbouring pixels share noise" in reasons[0]


def test_light_that_comes_frames_later_switches_the_tests_off(catalyst):
    late = Afterglow(afterglow_px=0, afterglow_frames=1.0)
    fit, reasons = judged(recorded(catalyst, 5.0, Poisson(), late))
    assert not fit
    assert "frames share noise" in reasons[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n: ndimage.gaussian_filter(n, (0, 0.5, 0.5)), "pixels share"),
        (lambda n: ndimage.gaussian_filter(n, (0, 1, 1)), "pixels share"),
        (lambda n: n.repeat(2, 1).repeat(2, 2), "pixels share"),
        (lambda n: ndimage.zoom(n, (1, 1.3, 1.3), order=1), "pixels share"),
        (lambda n: ndimage.shift(n, (0, 0.5, 0.3), order=1), "pixels share"),
        # By halves, counts stay whole in quarters, like those of a detector.
        (lambda n: ndimage.shift(n, (0, 0.5, 0.5), order=1), "pixels share"),
        (lambda n: (n[1:] + n[:-1]) / 2, "frames share"),
        (lambda n: ndimage.zoom(n, (1.5, 1, 1), order=1), "frames share"),
        (lambda n: ndimage.median_filter(n, (3, 1, 1)), "frames share"),
    ],
    ids=[
        "soft",
        "gauss",
        "doubled",
        "zoomed",
        "aligned",
        "halved",
        "mean",
        "slowed",
        "median",
    ],
)
def test_a_movie_that_was_filtered_or_interpolated_is_not_tested(
    catalyst, change, said
):
    fit, reasons = judged(change(recorded(catalyst, 0.3)))
    assert not fit
    assert any(said in reason for reason in reasons)


def test_noise_that_tells_no_gain_switches_the_tests_off(catalyst):
    even = recorded(catalyst, 100.0, Gaussian(gaussian_std=20))
    fit, reasons = judged(even)
    assert not fit
    assert "gain is not told" in reasons[0]


def test_electrons_are_what_the_detector_made_counts_of(catalyst):
    counts = recorded(catalyst, 10.0, Poisson(), CAMERA)
    measured = measure_noise(counts, offset=100.0)
    electrons, variance, excess = electrons_of(counts, measured)
    assert excess == 1
    assert variance == (measured.readout_std.value / measured.gain.value) ** 2
    back = electrons * measured.gain.value + 100
    # a few units in the last place of single precision, at up to 500 counts
    np.testing.assert_allclose(back, counts, atol=2e-4)


def test_electrons_survive_an_offset_that_single_precision_cannot_hold():
    quanta = np.random.default_rng(0).poisson(2, (16, 64, 64))
    dark = float(2**27)
    measured = measure_noise(quanta, offset=0.0)
    shifted = replace(measured, offset=Measured(dark, dark, dark, Source.GIVEN))
    assert measured.gain.value == 1
    counts = (quanta + 2**27).astype(np.uint32)
    np.testing.assert_array_equal(electrons_of(counts, shifted)[0], quanta)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_estimate_that_is_not_all_numbers_is_refused(value):
    noisy = np.random.default_rng(0).poisson(2.0, (6, 24, 24)).astype(np.float32)
    estimate = smoothed(noisy)
    refuse_gaps(estimate)
    estimate[3, 4, 5] = value
    with pytest.raises(ValueError, match="finite values, got NaN or infinite ones"):
        refuse_gaps(estimate)
