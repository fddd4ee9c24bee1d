"""What each stage does, as the physics of detectors says."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import STAGES, Noise, add_noise
from napari_lowdose.noise.stages import (
    Afterglow,
    Defects,
    DoseDrift,
    Equation,
    Gaussian,
    LineNoise,
    OnePair,
    PhaseNoise,
    Poisson,
    PulseHeight,
    Quantize,
    Readout,
    Response,
    SaltPepper,
    ScanDistortion,
    Scatter,
    Spikes,
)
from napari_lowdose.stack import Stack

# Every stage as it is, and some once more with all that they can do.
EACH = {
    **{name: kind() for name, kind in STAGES.items()},
    "wild dose": DoseDrift(dose_swing=0.3, dose_walk=0.2),
    "as printed": OnePair(equation=Equation.AS_PRINTED),
    "afterglow in time": Afterglow(afterglow_px=2.0, afterglow_frames=1.5),
    "uneven readout": Readout(
        gain=2.0,
        offset=10.0,
        readout_std=1.5,
        gain_spread=0.2,
        offset_spread=3.0,
        readout_spread=0.5,
    ),
    "all lines": LineNoise(row_std=1.0, column_std=2.0, stripe_std=3.0),
    "relative gaussian": Gaussian(gaussian_std=0.3, gaussian_relative=True),
}
HONEST = {name: stage for name, stage in EACH.items() if not stage.damages}


def scene(shape=(4, 8, 10)):
    """Expected counts from 2 to 20, float32, without symmetry."""
    return np.random.default_rng(9).uniform(2, 20, shape).astype(np.float32)


def flat(level, shape):
    return np.full(shape, level, np.float32)


def recorded(stage, counts, seed=0):
    return stage.record(counts.copy(), np.random.default_rng(seed))


@pytest.mark.parametrize("stage", EACH.values(), ids=EACH)
def test_same_random_numbers_give_the_same_noise(stage):
    first, again = recorded(stage, scene(), 1), recorded(stage, scene(), 1)
    np.testing.assert_array_equal(first, again)
    assert first.shape == scene().shape
    assert np.isfinite(first).all()


@pytest.mark.parametrize("stage", HONEST.values(), ids=HONEST)
def test_what_a_stage_expects_is_its_mean(stage):
    n = 500
    mean, square = np.zeros(scene().shape), np.zeros(scene().shape)
    for seed in range(n):
        counts = recorded(stage, scene(), seed).astype(float)
        mean += counts / n
        square += counts**2 / n
    error = np.sqrt(np.maximum(square - mean**2, 0) / n)
    # five standard errors of each of 320 means; 1e-5 for the rounding to float32
    expected = stage.expect(scene())
    assert np.all(abs(mean - expected) < 5 * error + 1e-5 * abs(expected))


@pytest.mark.parametrize("stage", EACH.values(), ids=EACH)
@pytest.mark.parametrize("shape", [(1, 1, 2), (1, 5, 1), (3, 1, 9)])
def test_stages_take_stacks_of_any_shape(stage, shape):
    noisy, truth = add_noise(Stack(scene(shape)), Noise(dose=9, stages=(stage,)))
    assert noisy.shape == truth.shape == shape


@pytest.mark.parametrize("stage", EACH.values(), ids=EACH)
def test_the_clean_stack_is_not_changed(stage):
    clean = scene()
    add_noise(Stack(clean), Noise(dose=0, stages=(stage,)))
    np.testing.assert_array_equal(clean, scene())


def test_counts_vary_as_their_mean():
    counts = recorded(Poisson(), flat(3.0, (10, 100, 100)))
    # the variance of 1e5 Poisson numbers is known to sqrt(3 (1 + 2 3) / 1e5) = 0.015
    assert counts.var(dtype=float) == pytest.approx(3, abs=4 * 0.015)
    np.testing.assert_array_equal(counts, np.rint(counts))


def test_counts_of_the_sbd_paper_have_its_psnr():
    """Known answer 31: 3.54 dB as they are, 6.27 dB clipped, at the mean 0.443."""
    counts = recorded(Poisson(), flat(0.443, (10, 200, 200)))
    errors = [np.mean((c - 0.443) ** 2) for c in (counts, counts.clip(0, 1))]
    # 0.05 dB as the catalogue has it; the paper's images are not quite flat
    assert [-10 * np.log10(e) for e in errors] == pytest.approx([3.54, 6.27], abs=0.05)


@pytest.mark.parametrize("stage", [Poisson(), PulseHeight(), OnePair()], ids=type)
def test_what_is_no_count_is_not_counted(stage):
    with pytest.raises(UnusableStack, match="got -1; put it before"):
        stage.record(flat(-1, (1, 2, 2)), np.random.default_rng(0))


@pytest.mark.parametrize("factor", [1.0, 1.25, 2.0, 3.0])
def test_pulse_heights_multiply_the_variance_by_the_excess_factor(factor):
    counts = recorded(Poisson(), flat(5.0, (10, 100, 200)))
    pulses = recorded(PulseHeight(excess_factor=factor), counts, seed=1)
    # 200,000 values; their kurtosis is below 6, so the variance is known to 0.5 %
    assert pulses.var(dtype=float) == pytest.approx(5 * factor, rel=0.02)
    assert pulses.mean(dtype=float) == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(
    ("equation", "mean"), [(Equation.PHYSICAL, 100), (Equation.AS_PRINTED, 200)]
)
def test_the_one_pair_equation_has_the_signal_once_or_twice(equation, mean):
    stage = OnePair(equation=equation, pair_variance=20)
    counts = recorded(stage, flat(100, (10, 100, 100)))
    # the noise is that of 100 counts and the Gaussian, in both forms; to 0.45 %
    assert counts.var(dtype=float) == pytest.approx(100 + 20, rel=0.02)
    assert counts.mean(dtype=float) == pytest.approx(mean, abs=5 * np.sqrt(120 / 1e5))


def test_phase_noise_is_that_of_the_electrons_and_the_fringes():
    stage = PhaseNoise(hologram_electrons=200, visibility=0.25, cell_px=4)
    phase = recorded(stage, flat(1.0, (20, 128, 128))).astype(float) - 1
    # a cell of 4 pixels leaves 20,000 independent values: 0.5 %
    assert phase.std() == pytest.approx(np.sqrt(2 / 200) / 0.25, rel=0.02)
    # half the width of the cell away a Gaussian of sd s has the correlation
    # exp(-d^2 / (4 s^2)), which is the root of a half at d = half the width
    inner = phase[:, 16:-16, 16:-16]
    correlation = np.mean(inner[:, :, 2:] * inner[:, :, :-2]) / inner.var()
    assert correlation == pytest.approx(np.sqrt(0.5), abs=0.03)


@pytest.mark.parametrize("stage", [Scatter, Response])
def test_a_wave_is_weakened_by_the_transfer_function(stage):
    prefix = "scatter" if stage is Scatter else "mtf"
    blur = stage(**{f"{prefix}_cutoff": 0.3, f"{prefix}_power": 0.8})
    rows, columns = np.arange(48)[:, None] + 0.5, np.arange(64) + 0.5
    wave = np.cos(np.pi * 12 * rows / 48) * np.cos(np.pi * 24 * columns / 64)
    squared = (12 / 96) ** 2 + (24 / 128) ** 2
    seen = blur.expect((5 + wave[None]).astype(np.float32))
    expected = 5 + wave * (1 + squared / 0.3**2) ** -0.8
    np.testing.assert_allclose(seen[0], expected, atol=1e-5)


def test_the_response_correlates_noise_as_its_power_spectrum_says():
    """The autocorrelation is the Fourier transform of the noise power spectrum."""
    white = np.random.default_rng(0).standard_normal((8, 256, 256), dtype=np.float32)
    noise = recorded(Response(mtf_cutoff=0.2, mtf_power=0.9), white).astype(float)
    frequency = np.fft.fftfreq(256)
    squared = (frequency[:, None] ** 2 + frequency**2) / 0.2**2
    expected = np.fft.ifft2((1 + squared) ** -1.8).real[:4, :4]
    inner = noise[:, 16:-16, 16:-16]  # at its edges a camera's noise is mirrored
    moved = [
        [np.mean(inner * noise[:, 16 + y : y - 16, 16 + x : x - 16]) for x in range(4)]
        for y in range(4)
    ]
    # of a variance of 0.14, half a million correlated values know 0.5 %
    np.testing.assert_allclose(moved, expected, atol=0.002)


def test_scattering_leaves_the_noise_white():
    stages = (Scatter(scatter_cutoff=0.1), Poisson())
    stack = np.full((10, 100, 100), 5.0)
    stack[0, 0, 0] = 5.1
    noisy, truth = add_noise(Stack(stack), Noise(dose=0, stages=stages))
    noise = noisy.read() - truth.read()
    correlation = np.mean(noise[:, :, 1:] * noise[:, :, :-1]) / noise.var()
    assert abs(correlation) < 4 / np.sqrt(noise.size)


def test_afterglow_fades_along_the_line():
    counts = flat(0, (2, 3, 32))
    counts[:, :, 5] = 1
    glow = Afterglow(afterglow_px=2.0).expect(counts)
    fading = (1 - np.exp(-0.5)) * np.exp(-np.arange(27) / 2)
    np.testing.assert_allclose(glow[1, 2, 5:], fading, rtol=1e-5)
    assert not glow[:, :, :5].any()


def test_afterglow_fades_in_time():
    counts = flat(0, (6, 2, 2))
    counts[2] = 1
    glow = Afterglow(afterglow_px=0, afterglow_frames=1.5).expect(counts)
    fading = (1 - np.exp(-1 / 1.5)) * np.exp(-np.arange(4) / 1.5)
    np.testing.assert_allclose(glow[2:, 1, 1], fading, rtol=1e-5)
    assert not glow[:2].any()


def test_afterglow_of_a_steady_light_is_steady():
    glow = Afterglow(afterglow_px=3, afterglow_frames=2).expect(flat(7, (4, 5, 6)))
    np.testing.assert_allclose(glow, 7, rtol=1e-6)


def shifts(stage, frames=20, rows=200, columns=64):
    """Read the sideways shift of each pixel off a ramp, away from its ends."""
    ramp = np.broadcast_to(np.arange(columns), (frames, rows, columns))
    return (recorded(stage, ramp.astype(np.float32)) - ramp)[:, :, 10:-10]


def test_line_jitter_is_autoregressive():
    stage = ScanDistortion(jitter_px=0.5, jitter_memory=0.8, hum_px=0)
    moved = shifts(stage)
    np.testing.assert_allclose(moved, moved[:, :, :1] * np.ones(44), atol=1e-5)
    lines = moved[:, :, 0].ravel().astype(float)
    # 4000 lines with a memory of 0.8 are 4000 (1 - 0.64) / (1 + 0.64) = 880
    # independent variances, known to 4.8 %, and so the deviation to 2.4 %
    assert lines.std() == pytest.approx(0.5, rel=3 * 0.024)
    # known to sqrt((1 - 0.64) / 4000)
    lag = np.corrcoef(lines[1:], lines[:-1])[0, 1]
    assert lag == pytest.approx(0.8, abs=3 * np.sqrt(0.36 / 4000))


def test_hum_swings_with_the_mains_from_line_to_line_and_frame_to_frame():
    stage = ScanDistortion(jitter_px=0, hum_px=0.4, hum_hz=50, dwell_us=10)
    moved = shifts(stage).astype(float)
    frames, rows, columns = np.ix_(range(20), range(200), range(10, 54))
    time = 10e-6 * ((frames * 200 + rows) * 64 + columns)
    swing = np.exp(-2j * np.pi * 50 * time)
    # 2.56 s hold 128 whole swings
    assert 2 * abs(np.mean(moved * swing)) == pytest.approx(0.4, rel=0.01)
    assert moved.var() == pytest.approx(0.4**2 / 2, rel=0.01)


def test_after_fly_back_the_beam_finds_its_way():
    stage = ScanDistortion(jitter_px=0, hum_px=0, flyback_px=2, flyback_length_px=12)
    expected = 2 * np.exp(-np.arange(10, 54) / 12)
    np.testing.assert_allclose(shifts(stage)[3, 7], expected, atol=1e-5)


def test_a_steady_scan_is_none_at_all():
    stage = ScanDistortion(jitter_px=0, hum_px=0)
    np.testing.assert_array_equal(recorded(stage, scene()), scene())


def test_the_dose_swings_as_told():
    stage = DoseDrift(dose_swing=0.2, swing_frames=16, dose_walk=0)
    means = recorded(stage, flat(10, (64, 2, 2)))[:, 0, 0]
    spectrum = abs(np.fft.rfft(means)) / 64
    assert spectrum[0] == pytest.approx(10, rel=1e-5)
    assert 2 * spectrum[4] == pytest.approx(2, rel=1e-5)


def test_the_dose_wanders_by_its_step():
    means = recorded(DoseDrift(dose_swing=0, dose_walk=1e-3), flat(1, (4000, 1, 1)))
    # the deviation of 4000 steps is known to 1.1 %
    assert np.diff(means[:, 0, 0]).std() == pytest.approx(1e-3, rel=0.04)


def test_blanked_frames_are_dark():
    stage = DoseDrift(blanked_share=0.25)
    dark = ~recorded(stage, flat(10, (1000, 2, 2))).any(axis=(1, 2))
    # four standard errors of a share of 1000
    assert dark.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 1000))


def test_defects_are_the_same_in_all_frames():
    stage = Defects(hot_share=0.02, hot_factor=100, dead_share=0.01)
    counts = recorded(stage, flat(100, (16, 200, 200)))
    hot, dead = (counts > 100).any(axis=0), (counts == 0).any(axis=0)
    assert not counts[:, dead].any()
    assert (counts[:, ~dead & ~hot] == 100).all()
    # what glows by 1000 or more never comes near half of it: fifteen deviations
    assert (counts[:, counts[0] > 1100] > 600).all()
    # four standard errors of shares of 40,000 pixels; some of the dead were hot
    assert hot.mean() == pytest.approx(0.02 * 0.99, abs=4 * np.sqrt(0.02 / 4e4))
    assert dead.mean() == pytest.approx(0.01, abs=4 * np.sqrt(0.01 / 4e4))
    # an exponential mean of about 800 pixels is known to 3.5 %
    assert counts[:, hot].mean() == pytest.approx(100 + 100 * 100, rel=4 * 0.035)


def test_spikes_are_rare_and_exponential():
    stage = Spikes(spike_share=1e-3, spike_factor=30)
    counts = recorded(stage, flat(10, (50, 100, 100)))
    height = counts[counts > 10] - 10
    # 500 spikes are known to 4.5 %, and so is their height and its deviation
    assert len(height) == pytest.approx(500, rel=4 * 0.045)
    assert height.mean() == pytest.approx(300, rel=4 * 0.045)
    assert height.std() == pytest.approx(300, rel=8 * 0.045)


def test_maps_of_a_camera_stay_the_same_in_all_frames():
    stage = Readout(
        gain=2,
        offset=50,
        readout_std=3,
        gain_spread=0.02,
        offset_spread=4,
        readout_spread=0.4,
    )
    n, pixels = 400, 60 * 60
    dark = recorded(stage, flat(0, (n, 60, 60))).astype(float)
    bright = recorded(stage, flat(1000, (n, 60, 60))).astype(float)
    offset, std = dark.mean(axis=0), dark.std(axis=0, ddof=1)
    gain = (bright - dark).mean(axis=0) / 1000  # the noise of both is the same
    # deviations of 3600 pixels are known to 1.2 %
    assert offset.mean() == pytest.approx(50, abs=4 * 4 / np.sqrt(pixels))
    assert offset.std() == pytest.approx(4, rel=4 * 0.012)
    assert gain.mean() == pytest.approx(2, abs=4 * 0.04 / np.sqrt(pixels))
    assert gain.std() == pytest.approx(0.04, rel=4 * 0.012)
    # each deviation is known to 1 / sqrt(800), which hardly widens the spread
    assert np.median(std) == pytest.approx(3, rel=0.03)
    assert np.log(std).std() == pytest.approx(0.4, rel=4 * 0.012)


def test_lines_share_their_noise():
    stage = LineNoise(row_std=1, column_std=2, stripe_std=4)
    counts = recorded(stage, flat(0, (50, 60, 70))).astype(float)
    columns = counts.mean(axis=1, keepdims=True)
    stripes = columns.mean(axis=0, keepdims=True)
    rows = counts - columns
    np.testing.assert_allclose(rows, rows[:, :, :1] * np.ones(70), atol=1e-4)
    # deviations of 3000 rows, 3500 columns and 70 stripes: 1.3, 1.2 and 8.5 %; the 60
    # rows and 50 frames that were averaged over take 0.8 and 1 % of the first two
    assert rows.std() == pytest.approx(1, rel=0.05)
    assert (columns - stripes).std() == pytest.approx(2, rel=0.05)
    assert stripes.std() == pytest.approx(4, rel=3 * 0.085)


@pytest.mark.parametrize(("relative", "std"), [(False, 0.5), (True, 50.0)])
def test_gaussian_noise_is_in_counts_or_a_share_of_the_mean(relative, std):
    stage = Gaussian(gaussian_std=0.5, gaussian_relative=relative)
    counts = recorded(stage, flat(100, (10, 100, 100)))
    # a deviation from 1e5 values is known to 0.22 %
    assert counts.std(dtype=float) == pytest.approx(std, rel=0.01)


def test_salt_is_the_highest_and_pepper_the_lowest():
    counts = flat(5, (10, 100, 100))
    counts[0, 0, :2] = 1, 9
    noisy = recorded(SaltPepper(salt_share=0.02, pepper_share=0.05), counts)
    assert set(np.unique(noisy)) == {1, 5, 9}
    # four standard errors of shares of 1e5
    assert np.mean(noisy == 9) == pytest.approx(0.02, abs=4 * np.sqrt(0.02 / 1e5))
    assert np.mean(noisy == 1) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 / 1e5))


@pytest.mark.parametrize(
    ("bits", "dtype"), [(1, "uint8"), (8, "uint8"), (12, "uint16"), (24, "uint32")]
)
def test_bits_hold_what_they_can_and_tell_of_the_rest(bits, dtype):
    top = 2**bits - 1
    counts = np.array([0.4, 0.6, top, top + 0.4, 1e9, 1e30, -1], np.float32)
    with pytest.warns(UserWarning, match=rf"3 of 7 .* to {bits} bits \(0 to {top}\)"):
        levels = recorded(Quantize(bits=bits), counts.reshape(1, 1, 7))
    assert levels.dtype == dtype
    # float32 has no fractions near 2^24
    np.testing.assert_array_equal(levels[0, 0], [0, 1, top, top, top, top, 0])


def test_a_dose_beyond_the_bits_is_refused_in_one_sentence():
    noise = Noise(dose=300, stages=(Poisson(), Quantize(bits=8)))
    with pytest.raises(UnusableStack, match="at most 255 counts for 8 bits, got 300"):
        add_noise(Stack(scene()), noise)


def test_highlights_beyond_the_bits_are_counted_and_clipped():
    stack = flat(1, (4, 200, 200))
    stack[0, 0, :3] = 1e9
    noise = Noise(dose=0, stages=(Poisson(), Quantize(bits=16)))
    with pytest.warns(UserWarning, match="3 of 160000 values were clipped to 16 bits"):
        noisy, truth = add_noise(Stack(stack), noise)
    assert set(noisy.read()[0, 0, :3]) == {65535}
    assert truth.read().max() == 1e9
