"""Baselines: laws that every filter keeps, and strengths chosen without truth."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest
from scipy import fft, ndimage

from napari_lowdose.classical import BASELINES, Baseline, Setting, tune
from napari_lowdose.classical.coarse_step import CoarseStep
from napari_lowdose.classical.held_out import hold_out
from napari_lowdose.classical.noise_std import noise_std
from napari_lowdose.classical.tuning import GRID_STEP
from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import Noise, Poisson, Readout, add_noise, looks_counted
from napari_lowdose.specimens import SPECIMENS, Catalyst

every_baseline = pytest.mark.parametrize(
    "baseline", BASELINES.values(), ids=BASELINES.keys()
)
# The others take seconds for a trial.
QUICK = (
    "gaussian", "bilateral", "nonlocal_means", "wiener", "gaussian_3d",
    "running_mean", "total_variation", "wavelet",
)  # fmt: skip
quick_baseline = pytest.mark.parametrize(
    "baseline", [BASELINES[name] for name in QUICK], ids=QUICK
)


@cache
def movie(dose=10.0, *, frames=16, size=96, analogue=False):
    """A noisy catalyst movie and its truth."""
    clean = (
        SPECIMENS["catalyst"]
        .render(Catalyst(frames=frames, size=size, n_particles=9))
        .stack
    )
    stage = Readout(readout_std=dose**0.5) if analogue else Poisson()
    noise = Noise(dose=dose, stages=(stage,))
    noisy, truth = add_noise(clean, noise)
    return noisy.read(), truth.read()


def middle(baseline):
    return {name: setting.coarse[1] for name, setting in baseline.settings.items()}


def mse(estimate, truth):
    return float(np.mean((estimate.astype(np.float64) - truth) ** 2))


@quick_baseline
def test_a_filter_tuned_by_truth_takes_most_of_the_noise_away(baseline):
    noisy, truth = movie()
    tuned = tune(baseline, noisy, truth=truth)
    estimate = baseline.denoise(noisy, tuned.settings)
    assert estimate.dtype == np.float32
    assert estimate.shape == noisy.shape
    # 5 dB is far below what each reaches (8 to 10 dB) and far above chance
    assert mse(estimate, truth) < mse(noisy, truth) / 3


@every_baseline
@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "int32", "float64"])
def test_any_dtype_gives_the_same_and_stays_unchanged(baseline, dtype):
    noisy, _ = movie(size=32)
    given = noisy[: max(2, baseline.least_frames)].astype(dtype)
    kept = given.copy()
    estimate = baseline.denoise(given, middle(baseline))
    np.testing.assert_array_equal(given, kept)
    np.testing.assert_array_equal(
        estimate,
        baseline.denoise(
            noisy[: max(2, baseline.least_frames)].astype(np.float32), middle(baseline)
        ),
    )


@every_baseline
@pytest.mark.parametrize(("gain", "offset"), [(300.0, 100.0), (1e-9, 0.0), (0.5, -7.0)])
def test_settings_mean_the_same_in_any_unit(baseline, gain, offset):
    noisy, _ = movie(size=32)
    other = noisy[: max(2, baseline.least_frames)].astype(np.float64) * gain + offset
    estimate = baseline.denoise(
        noisy[: max(2, baseline.least_frames)], middle(baseline)
    )
    # float32 of counts up to 100, and the tables of weights, are good to 1e-4
    np.testing.assert_allclose(
        (baseline.denoise(other, middle(baseline)).astype(np.float64) - offset) / gain,
        estimate,
        atol=2e-2,
    )


@every_baseline
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 9), (3, 2, 2), (1, 50, 7)])
def test_frames_of_any_size_are_filtered(baseline, shape):
    shape = (max(shape[0], baseline.least_frames), *shape[1:])
    stack = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    estimate = baseline.denoise(stack, middle(baseline))
    assert estimate.shape == shape
    assert stack.min() - 1e-3 <= estimate.min() <= estimate.max() <= stack.max() + 1e-3


@every_baseline
def test_a_constant_stays_what_it_is(baseline):
    stack = np.full((5, 20, 20), 7.5)
    # float32 is good to 1.2e-7
    np.testing.assert_allclose(baseline.denoise(stack, middle(baseline)), 7.5, 1e-6)


@every_baseline
def test_one_bright_pixel_does_not_cost_the_others_their_levels(baseline):
    noisy, _ = movie(dose=100, size=128)
    noisy = noisy[: max(2, baseline.least_frames)].astype(np.uint16)
    spoiled = noisy.copy()
    spoiled[0, 2, 2] = 60_000  # in 8 bits, a level would now be 234 counts wide
    plain = baseline.denoise(noisy, middle(baseline))
    estimate = baseline.denoise(spoiled, middle(baseline))
    far = np.s_[:, 32:, 32:]
    # steps of a count in 16 bits round by 0.3 counts; the noise is 10, and 8 bits would
    # round by 68; what is left of the pixel raises the noise that Wiener's filter finds
    most = 2.0 if baseline is BASELINES["wiener"] else 0.5
    assert mse(estimate[far], plain[far]) ** 0.5 < most


def test_the_wiener_filter_finds_the_error_of_the_known_spectrum():
    """No linear filter of a stationary scene in white noise leaves less."""
    shape, noise_std = (48, 96, 96), 1.0
    rng = np.random.default_rng(0)
    t, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    radius = np.sqrt((y / 96) ** 2 + (x / 96) ** 2 + 4 * (t / 48) ** 2)
    power = 400 / (1 + (radius / 0.03) ** 4)
    scene = fft.idctn(np.sqrt(power) * rng.standard_normal(shape), norm="ortho")
    noisy = scene + noise_std * rng.standard_normal(shape)
    least = np.mean(power * noise_std**2 / (power + noise_std**2))
    estimate = BASELINES["wiener"].denoise(noisy, {"strength": 1.0})
    # 1.12 was measured: what does not stand out for sure is lost.
    assert least < mse(estimate, scene) < 1.2 * least


@pytest.mark.parametrize("seed", range(4))
def test_the_wiener_filter_makes_pure_noise_flat(seed):
    noise = np.random.default_rng(seed).poisson(1.0, (32, 96, 96))
    estimate = BASELINES["wiener"].denoise(noise, {"strength": 1.0})
    # Bins that stand out by 3 deviations by chance, one in 700, let little through:
    # 0.8 % at the most of six seeds.
    assert estimate.std() < 0.015 * noise.std()
    assert estimate.mean() == pytest.approx(noise.mean(), rel=1e-4)


def drifting_lattice(amplitude: float) -> np.ndarray:
    """Three plane waves of 4.3 pixels that move by 0.6 pixels per frame."""
    t, y, x = np.ogrid[:48, :96, :96]
    angles = 0.2 + np.pi / 3 * np.arange(3)
    waves = [y * np.sin(a) + (x - 0.6 * t) * np.cos(a) for a in angles]
    lattice = sum(np.cos(2 * np.pi / 4.3 * wave) for wave in waves)
    return (amplitude * lattice).astype(np.float32)


def test_the_wiener_filter_sees_what_repeats():
    lattice = drifting_lattice(0.1)
    noise = np.random.default_rng(1).standard_normal(lattice.shape)
    estimate = BASELINES["wiener"].denoise(lattice + noise, {"strength": 1.0})
    # 0.22 was measured; by the mean power of all directions alone 0.43 of it are lost.
    assert mse(estimate, lattice) < 0.3 * lattice.var()


def test_the_wiener_filter_is_blind_to_sparks():
    noisy, truth = movie(dose=2.0)
    spoiled = noisy.copy()
    spoiled.reshape(-1)[:: noisy.size // 20] = 1e5  # cosmic rays
    plain, estimate = (
        BASELINES["wiener"].denoise(stack, {"strength": 1.0})
        for stack in (noisy, spoiled)
    )
    # 1 dB; unless they are cut, the power of sparks makes the movie flat.
    assert mse(estimate, truth) < 10**0.1 * mse(plain, truth)


@pytest.mark.parametrize("name", ["bilateral", "nonlocal_means"])
def test_a_loss_of_levels_is_told(name):
    noisy, truth = movie(size=32)
    spoiled = noisy.copy()
    spoiled[0, 2, 2] = 1e9
    baseline = BASELINES[name]
    with pytest.warns(CoarseStep, match="extreme values stretch the range"):
        baseline.denoise(spoiled, middle(baseline))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tune(baseline, spoiled[:4], truth=truth[:4])


@quick_baseline
def test_thinned_counts_choose_what_the_truth_would_choose(baseline):
    noisy, truth = movie(size=128)
    assert looks_counted(noisy)
    by_truth = tune(baseline, noisy, truth=truth)
    tuned = tune(baseline, noisy)
    assert tuned.criterion.startswith("thinned loss")
    for name, value in tuned.settings.items():
        # one step of the grid: it is tuned at 0.9 of the dose
        steps = np.log(value / by_truth.settings[name]) / np.log(GRID_STEP)
        assert abs(steps) < 1.01


@quick_baseline
def test_held_out_pixels_choose_nearly_what_the_truth_would_choose(baseline):
    noisy, truth = movie(size=128, analogue=True)
    tuned = tune(baseline, noisy)
    assert tuned.criterion.startswith("J-invariant")
    by_truth = tune(baseline, noisy, truth=truth)
    best = mse(baseline.denoise(noisy, by_truth.settings), truth)
    # 0.5 dB: at a held-out pixel the filter sees a blurred guess of its neighbourhood
    assert mse(baseline.denoise(noisy, tuned.settings), truth) < best * 10**0.05


@quick_baseline
def test_the_best_of_all_trials_is_chosen_again_and_again(baseline):
    noisy, _ = movie(size=32)
    kept = noisy.copy()
    tuned = tune(baseline, noisy, seed=3)
    assert tuned == tune(baseline, noisy, seed=3)
    assert tuned.losses[tuple(tuned.settings.values())] == min(tuned.losses.values())
    assert list(tuned.settings) == list(baseline.settings)
    np.testing.assert_array_equal(noisy, kept)


@quick_baseline
def test_the_search_stays_inside_the_limits(baseline):
    pure_noise = np.random.default_rng(0).normal(0, 1, (4, 24, 24))
    tuned = tune(baseline, pure_noise, truth=np.zeros_like(pure_noise))
    for values in tuned.losses:
        for value, setting in zip(values, baseline.settings.values(), strict=True):
            assert setting.lowest * 0.999 <= value <= setting.highest * 1.001


@every_baseline
def test_a_baseline_explains_itself(baseline):
    assert baseline.summary.endswith(".")
    for setting in baseline.settings.values():
        assert setting.sentence.endswith(".")
        assert list(setting.coarse) == sorted(setting.coarse)


def test_large_stacks_are_tuned_on_windows():
    rng = np.random.default_rng(0)
    stack = rng.normal(5, 1, (40, 250, 300)).astype(np.float32)
    seen = []
    baseline = BASELINES["gaussian"]
    tune(
        type(baseline)(
            denoise=lambda s, v: seen.append(s.shape) or baseline.denoise(s, v),
            settings=baseline.settings,
            summary="Remembers what it saw.",
        ),
        stack,
        truth=np.full_like(stack, 5),
    )
    assert set(seen) == {(16, 192, 192)}


def mean_of_frames(stack, settings):
    width = 2 * round(settings["half_window"]) + 1
    return ndimage.uniform_filter1d(stack.astype(np.float32), width, axis=0)


def test_a_temporal_filter_is_tuned_on_consecutive_frames_that_hide_what_they_judge():
    baseline = Baseline(
        denoise=mean_of_frames,
        settings={"half_window": Setting((1.0, 4.0), 1.0, 8.0, "Frames on each side.")},
        summary="Average frames.",
        temporal=True,
    )
    t = np.arange(200)[:, None, None]
    truth = 5 * np.sin(t * 2 * np.pi / 8) + np.zeros((200, 24, 24))
    noisy = truth + np.random.default_rng(0).normal(0, 1, truth.shape)
    # over a period of 8 frames, more than three blur; frames far apart would look
    # unrelated, and a repeated frame would advise no averaging at all
    assert tune(baseline, noisy).settings["half_window"] < 1.5
    still = noisy - truth
    assert tune(baseline, still).settings["half_window"] > 3
    _, recorded, held_out = hold_out(still[:3], np.random.default_rng(0), temporal=True)
    assert recorded.shape == held_out.shape == (3, 24, 24)


def test_a_truth_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 9, 9\), got \(2, 9, 8\)"):
        tune(BASELINES["gaussian"], np.ones((2, 9, 9)), truth=np.ones((2, 9, 8)))


def test_frames_without_neighbours_cannot_be_tuned_without_truth():
    stack = np.random.default_rng(0).normal(size=(9, 3, 9))
    with pytest.raises(UnusableStack, match="give the truth"):
        tune(BASELINES["gaussian"], stack)


@quick_baseline
def test_error_at_held_out_pixels_is_true_error_plus_the_noise(baseline):
    _, truth = movie(frames=48, size=128)
    rng = np.random.default_rng(1)
    std = 3.0
    noisy = (truth + rng.normal(0, std, truth.shape)).astype(np.float32)
    masked, recorded, held_out = hold_out(noisy, rng)
    estimate = baseline.denoise(masked, middle(baseline))[held_out].astype(np.float64)
    loss = np.mean((estimate - recorded[held_out]) ** 2)
    error = np.mean((estimate - truth[held_out]) ** 2)
    # 49152 pixels: sqrt(2 / N) = 0.6 % from the noise, 0.5 % from its product with an
    # error of half its size
    assert loss - error == pytest.approx(std**2, rel=0.025)


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 5, 7), (20, 9, 4), (16, 12, 13)])
def test_the_input_of_a_filter_does_not_depend_on_held_out_pixels(shape):
    stack = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    masked, _, held_out = hold_out(stack, np.random.default_rng(1))
    for i in range(len(masked)):
        other = stack.copy()
        other[i % len(stack)][held_out[i]] += 1000
        again, _, _ = hold_out(other, np.random.default_rng(1))
        np.testing.assert_array_equal(again[i], masked[i])


def test_each_pixel_of_a_single_frame_is_held_out_once():
    stack = np.random.default_rng(0).normal(0, 1, (1, 9, 10))
    _, recorded, held_out = hold_out(stack, np.random.default_rng(1))
    np.testing.assert_array_equal(held_out.sum(axis=0), 1)
    np.testing.assert_array_equal(recorded[5], stack[0].astype(np.float32))


def test_replaced_pixels_are_as_noisy_as_the_others_and_have_no_dark_rim():
    stack = np.random.default_rng(0).normal(50, 2, (64, 40, 40))
    masked, _, held_out = hold_out(stack, np.random.default_rng(1))
    replaced = masked[held_out]
    # 6400 values: their deviation is known to 0.9 %, their mean to 0.03
    assert replaced.std() == pytest.approx(2, rel=0.03)
    assert replaced.mean() == pytest.approx(50, abs=0.1)
    rim = masked[:, 0][held_out[:, 0]]
    assert rim.mean() == pytest.approx(50, abs=0.7)


def test_noise_is_measured_beside_ramps_particles_and_hot_pixels():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]
    stack = rng.normal(0, 3, (8, 128, 128)) + 0.5 * x - 0.2 * y
    stack[:, 40:50, 40:50] += 100
    stack[2, 100, 3] = 1e6
    # the median of tiles of 256 correlated values lies some percent below their mean
    assert noise_std(stack) == pytest.approx(3, rel=0.05)


def test_noise_of_rare_counts_is_measured():
    stack = np.random.default_rng(0).poisson(0.002, (32, 64, 64))
    # 262 counts: 6 % of the variance, 3 % of the deviation
    assert noise_std(stack) == pytest.approx(0.002**0.5, rel=0.1)
