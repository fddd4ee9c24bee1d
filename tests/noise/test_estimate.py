"""Reading the detector off a stack whose detector is known."""

import numpy as np
import pytest

from napari_lowdose.errors import UnusableStack
from napari_lowdose.io import read_stack
from napari_lowdose.noise import (
    STAGES,
    Noise,
    Poisson,
    Readout,
    Source,
    add_noise,
    describe,
    measure_noise,
    recipe_like,
)
from napari_lowdose.noise.differences import cumulant_shares
from napari_lowdose.objectives import Fit, advice_sentences, advise
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.stack import Stack

GRID = [(0.5, 0.0), (1.0, 1.0), (2.0, 0.0), (2.0, 4.0), (8.0, 1.0), (8.0, 4.0)]


@pytest.fixture(scope="module")
def specimen():
    """Expected brightness of a specimen, with a mean of one."""
    kept = {}

    def render(name: str) -> np.ndarray:
        if name not in kept:
            kind = SPECIMENS[name]
            movie = kind.render(kind.settings(frames=32, size=128)).stack.read()
            kept[name] = movie.astype(float) / movie.mean()
        return kept[name]

    return render


def recorded(clean, dose, gain, readout_std, offset=100.0, seed=0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    counts = gain * rng.poisson(dose * clean) + offset
    return (counts + rng.normal(0, readout_std, clean.shape)).astype(np.float32)


def ramp(frames=32, size=128) -> np.ndarray:
    """A still scene of all brightnesses from 0.2 to 1.8."""
    return np.broadcast_to(np.linspace(0.2, 1.8, size), (frames, size, size))


def wide(measured, by=1.5) -> tuple[float, float]:
    """An interval of 95 %, stretched so that it misses in less than one of 300."""
    return (
        measured.value - by * (measured.value - measured.low),
        measured.value + by * (measured.high - measured.value),
    )


@pytest.mark.parametrize(("gain", "readout_std"), GRID)
@pytest.mark.parametrize(("name", "dose"), [("catalyst", 50), ("lattice", 0.3)])
def test_intervals_hold_the_detector_whatever_moves(
    specimen, name, dose, gain, readout_std
):
    seen = measure_noise(recorded(specimen(name), dose, gain, readout_std))
    truth = (gain, 100.0, readout_std, dose)
    numbers = (seen.gain, seen.offset, seen.readout_std, seen.dose)
    for value, number in zip(truth, numbers, strict=True):
        low, high = wide(number)
        # motion leaves up to a hundredth of a variance that is not noise
        slack = 0.01 * gain * (1 + dose) + 0.01 * dose
        assert low - slack <= value <= high + slack


@pytest.mark.parametrize("dose", [0.3, 1, 5, 50])
@pytest.mark.parametrize(("gain", "readout_std"), [(0.5, 0.0), (1, 0), (2, 1), (8, 4)])
def test_gain_is_read_to_five_per_cent_and_readout_to_a_third_of_a_quantum(
    dose, gain, readout_std
):
    counts = recorded(ramp(), dose, gain, readout_std)
    seen = measure_noise(counts, offset=100.0)
    assert seen.gain.value == pytest.approx(gain, rel=0.05)
    spread = seen.readout_std
    near = abs(spread.value - readout_std) < 0.3 * gain
    assert near or spread.low <= readout_std <= spread.high


def test_four_in_five_intervals_and_more_hold_the_truth():
    inside = []
    for seed in range(16):
        counts = recorded(ramp(16, 64), 3.0, 2.0, 2.0, seed=seed)
        seen = measure_noise(counts)
        inside += [
            seen.gain.low <= 2.0 <= seen.gain.high,
            seen.offset.low <= 100.0 <= seen.offset.high,
            seen.readout_std.low <= 2.0 <= seen.readout_std.high,
        ]
    # 0.95 expected; 16 seeds are known to 0.055, and the three numbers go together
    assert np.mean(inside) > 0.95 - 3 * 0.055


def test_contrast_does_not_change_the_gain(specimen):
    flat = specimen("catalyst") ** 0.3
    steep = specimen("catalyst") ** 1.5
    gains = [measure_noise(recorded(s, 5, 2, 1)).gain for s in (flat, steep)]
    for gain in gains:
        low, high = wide(gain)
        assert low <= 2 <= high
        assert high - low < 0.8


def test_counts_are_told_from_rounded_analogue_counts(specimen):
    clean = specimen("catalyst")
    rng = np.random.default_rng(0)
    counted = rng.poisson(2 * clean).astype(np.uint16)
    seen = measure_noise(counted)
    assert seen.counting
    assert (seen.gain.value, seen.offset.value, seen.readout_std.value) == (1, 0, 0)
    # the mean of n Poisson numbers is known to sqrt(dose / n)
    assert seen.dose.value == pytest.approx(2, abs=4 * np.sqrt(2 / counted.size))
    for gain, readout_std in ((1.0, 1.0), (2.3, 4.0), (40.0, 4.0)):
        analogue = np.rint(recorded(clean, 2, gain, readout_std)).astype(np.uint16)
        assert measure_noise(analogue).counting == (gain == 40.0)


def test_a_gain_that_single_precision_rounds_is_read_from_the_whole_span():
    seen = measure_noise(recorded(ramp(), 20, 0.7, 0))
    assert seen.counting
    # numbers near 150 are rounded to 1e-5, over a span of some 30 counts
    assert seen.gain.value == pytest.approx(0.7, rel=1e-6)


def test_amplified_counts_are_still_counts():
    seen = measure_noise(recorded(ramp(), 1, 8, 0.5))
    assert seen.counting
    # the comb tells the gain to far better than the variance does
    assert seen.gain.value == pytest.approx(8, rel=2e-3)
    assert seen.readout_std.value == pytest.approx(0.5, abs=0.02)
    assert seen.offset.value == pytest.approx(100, abs=0.1)


def test_dark_and_flat_frames_calibrate():
    rng = np.random.default_rng(1)

    def lit(electrons, frames):
        counts = 3 * rng.poisson(electrons, (frames, 128, 128)) + 200.0
        return counts + rng.normal(0, 6, counts.shape)

    stack = lit(5.0, 16)
    seen = measure_noise(stack, dark=lit(0, 16), flats=[lit(100, 4), lit(400, 4)])
    for number, truth, error in (
        (seen.gain, 3.0, 0.05),
        (seen.offset, 200.0, 0.1),
        (seen.readout_std, 6.0, 0.1),
    ):
        assert number.source is Source.CALIBRATED
        assert number.value == pytest.approx(truth, abs=error)
    assert seen.dose.value == pytest.approx(5.0, rel=0.05)


def test_a_flat_alone_is_refused():
    flat = np.random.default_rng(0).poisson(50.0, (4, 64, 64))
    with pytest.raises(ValueError, match="two brightnesses"):
        measure_noise(flat, flats=[flat])
    with pytest.raises(ValueError, match="two frames"):
        measure_noise(flat, dark=flat, flats=[flat[:1]])


def test_a_given_offset_is_kept():
    seen = measure_noise(recorded(ramp(), 5, 2, 4), offset=100.0)
    assert seen.offset.source is Source.GIVEN
    assert seen.offset.value == seen.offset.low == seen.offset.high == 100


def test_an_offset_that_is_not_told_is_assumed_and_the_readout_is_left_open():
    # at many counts the noise is Gaussian and has no skewness to tell the offset by
    rng = np.random.default_rng(0)
    counts = rng.normal(5000.0, 60.0, (16, 64, 64))
    seen = measure_noise(counts)
    assert seen.offset.source is Source.ASSUMED
    assert seen.readout_std.low < 10
    assert seen.readout_std.high > 55
    assert any("assumed" in sentence for sentence in describe(seen))


def test_independent_noise_has_no_correlation(specimen):
    seen = measure_noise(recorded(specimen("catalyst"), 2, 2, 1))
    assert not seen.correlated
    assert seen.correlation[2, 2] == 1
    around = np.delete(seen.correlation.ravel(), 12)
    # 12 frames of 112^2 pixels: 0.0026, and tiles' medians are 1.25 times as unsure
    assert np.abs(around).max() < 5 * 0.0033
    assert np.abs(seen.lags[1:]).max() < 0.05


def test_blurred_noise_shows_its_autocorrelation():
    rng = np.random.default_rng(0)
    counts = rng.poisson(20 * ramp(24, 130)).astype(float)
    # rows share: neighbours in x have (a b) / (a^2 + b^2) in common
    blurred = 0.8 * counts[:, 1:-1, 1:-1] + 0.2 * counts[:, 1:-1, 2:]
    seen = measure_noise(blurred)
    assert seen.correlated
    # a quotient of sums of 150,000 products is known to 0.003
    assert seen.correlation[2, 3] == pytest.approx(0.16 / 0.68, abs=0.012)
    assert abs(seen.correlation[3, 2]) < 0.012
    # over large areas nothing is lost: variance and correlation give the gain back
    assert seen.shared * seen.gain.value == pytest.approx(1.0, rel=0.1)


def test_noise_that_frames_share_shows_in_the_lags():
    rng = np.random.default_rng(0)
    fresh = rng.normal(100, 10, (40, 96, 96))
    seen = measure_noise(0.8 * fresh[1:] + 0.2 * fresh[:-1])
    # 12 pairs of 96^2 pixels: 0.003, five times as much after solving for the lags
    assert seen.lags[1] == pytest.approx(0.16 / 0.68, abs=4 * 0.015)
    assert seen.lags[2] == pytest.approx(0, abs=4 * 0.015)


@pytest.mark.parametrize(
    ("stage", "settings", "correlated"),
    [
        ("response", {"mtf_cutoff": 0.25}, True),
        ("afterglow", {"afterglow_px": 0.7}, True),
        ("line_noise", {"row_std": 6.0}, True),
        ("quantize", {"bits": 12}, False),
    ],
)
def test_stages_that_share_noise_are_recognised(clean, stage, settings, correlated):
    counted = (Poisson(), Readout(gain=4, offset=50, readout_std=2))
    noise = Noise(dose=5, stages=(*counted, STAGES[stage](**settings)))
    noisy, _ = add_noise(clean, noise)
    assert measure_noise(noisy.read()).correlated is correlated


def test_saturation_clipping_drift_and_defects_are_seen():
    still = recorded(ramp(24, 96), 20, 2, 3, offset=10.0)
    plain = measure_noise(still)
    assert (plain.saturated, plain.clipped, plain.defects) == (0, 0, 0)
    top, bottom = np.quantile(still, (0.98, 0.03))
    cut = measure_noise(still.clip(bottom, top))
    assert cut.saturated == pytest.approx(0.02, abs=0.002)
    assert cut.clipped == pytest.approx(0.03, abs=0.002)
    fading = still * np.linspace(1.2, 0.8, 24, dtype=np.float32)[:, None, None]
    # the offset fades too, but is hardly more than a fourth of the brightness
    assert measure_noise(fading).drift == pytest.approx(-0.4, abs=0.15)
    still[:, 20, 30:40:2] = 300
    still[:, 60, 30:40:2] = 0
    assert measure_noise(still).defects == pytest.approx(10 / 96**2, rel=0.2)


def test_few_frames_and_one_frame_are_enough_for_something():
    counts = np.random.default_rng(0).poisson(5 * ramp(4, 128))
    for n in (4, 3, 2, 1):
        seen = measure_noise(counts[:n])
        low, high = wide(seen.gain)
        assert low <= 1 <= high
        assert seen.n_frames == n
        told = " ".join(describe(seen))
        assert ("one frame only" in told) == (n == 1)


def test_frames_of_different_scenes_are_read_one_by_one():
    y, x = np.mgrid[:128, :128]
    rng = np.random.default_rng(0)
    scenes = np.zeros((12, 128, 128))
    for scene in scenes:
        for a, b in rng.uniform(0, 128, (12, 2)):
            scene += np.exp(-((y - a) ** 2 + (x - b) ** 2) / 200)
    seen = measure_noise(rng.poisson(100 * scenes))
    assert not seen.alike
    assert seen.gain.value == pytest.approx(1, rel=0.1)


def varied(kind, rng, **movie) -> np.ndarray:
    """A movie of another specimen of the kind, with a mean of one."""
    settings = kind.vary(kind.settings(**movie), rng)
    clean = kind.render(settings).stack.read().astype(float)
    return clean / max(float(clean.mean()), 1e-9)


@pytest.mark.parametrize("name", SPECIMENS)
def test_independent_counts_are_counts_and_share_nothing_whatever_moves(name):
    """A false word of shared noise would cost the user the best way of training."""
    rng = np.random.default_rng(3)
    for size, frames in [(32, 16), (32, 16), (64, 24), (64, 24)]:
        clean = varied(SPECIMENS[name], rng, size=size, frames=frames)
        dose = 10 ** rng.uniform(np.log10(0.05), np.log10(50))
        seen = measure_noise(rng.poisson(dose * clean).astype(np.uint16))
        assert seen.counting
        assert (seen.gain.value, seen.offset.value) == (1, 0)
        assert not seen.correlated
        fits = {name: verdict.fit for name, verdict in advise(seen).items()}
        assert fits["thinning"] is Fit.SUITS
        assert fits["noise2void"] is Fit.CAREFUL


def test_analogue_counts_are_not_taken_for_shared_noise_where_nothing_stays():
    """Motion is told from noise by what frames further apart have in common."""
    peaks = SPECIMENS["gaussian_peaks"]
    for persistence in (0.0, 0.3, 0.7, 0.95):
        settings = peaks.settings(size=64, frames=24, persistence=persistence)
        clean = peaks.render(settings).stack.read().astype(float)
        seen = measure_noise(recorded(clean, 10 / clean.mean(), 2, 3))
        assert not seen.correlated
        verdicts = advise(seen)
        assert verdicts["noise2void"].fit is not Fit.AVOID
        if persistence < 0.5:
            assert not seen.correlation_told
            assert "could not be told" in verdicts["noise2void"].reason
            assert any("changes too much" in line for line in describe(seen))


@pytest.mark.parametrize("name", ["catalyst", "lattice", "pn_junction", "fluorescence"])
def test_shared_noise_is_recognised_in_what_moves_moderately(specimen, name):
    counts = np.random.default_rng(0).poisson(10 * specimen(name))
    beside = np.roll(counts, 1, axis=2) + np.roll(counts, 1, axis=1)
    seen = measure_noise(0.613 * counts + 0.197 * beside)
    assert seen.correlated
    # (a b) / (a^2 + 2 b^2) in common; moving things add some hundredths, chance one
    assert seen.correlation[2, 3] == pytest.approx(0.1208 / 0.4534, abs=0.1)
    assert advise(seen)["thinning"].fit is Fit.AVOID


@pytest.mark.parametrize("gain", [0.5, 2.3, 8.0])
@pytest.mark.parametrize("name", ["catalyst", "lattice"])
def test_digitised_analogue_counts_are_not_counting(specimen, name, gain):
    # at 0.3 quanta of readout noise no teeth are left between rounded counts
    for dose in (3, 30):
        analogue = recorded(specimen(name)[:16, :64, :64], dose, gain, 0.3 * gain)
        assert not measure_noise(np.rint(analogue).astype(np.uint16)).counting


def awkward(number: int) -> np.ndarray:
    """A small stack of any specimen, detector, shape, size and kind of number."""
    rng = np.random.default_rng(number)
    kind = list(SPECIMENS.values())[number % len(SPECIMENS)]
    size, width = (int(n) for n in rng.integers(16, 48, 2))
    frames = int(rng.choice([1, 2, 3, 4, 7, 12]))
    clean = varied(kind, rng, size=size, width=width, frames=max(frames, 1))
    gain = 10 ** rng.uniform(-3, 3)
    counts = rng.poisson(10 ** rng.uniform(-2.5, 3) * clean)
    readout = rng.normal(0, gain * rng.choice([0, 0, 0.3, 5]), clean.shape)
    analogue = gain * counts + rng.choice([0, 0, 100, -50, 3e4]) + readout
    low, high = np.quantile(analogue, (0.1, 0.9))
    if rng.random() < 0.1:
        analogue[:, : size // 2] = counts[:, : size // 2] = 0
    return (
        analogue,
        analogue.astype(np.float32),
        analogue * 10.0 ** rng.integers(-12, 12),
        analogue.clip(low, high),
        analogue.clip(-6e4, 6e4).astype(np.float16),
        np.rint(analogue).clip(0, 255).astype(np.uint8),
        counts.astype(rng.choice(["u2", "i4", "u8", ">u2"])),
        np.repeat(analogue[:1], frames, axis=0),
    )[number // len(SPECIMENS) % 8]


def test_any_stack_gives_a_measurement_or_a_sentence():
    measured, refusals = 0, []
    for number in range(120):
        try:
            seen = measure_noise(awkward(number))
        except UnusableStack as error:
            refusals.append(str(error))
            continue
        measured += 1
        for one in (seen.gain, seen.offset, seen.readout_std, seen.dose):
            assert np.isfinite([one.value, one.low, one.high]).all()
        assert np.isfinite(seen.correlation).all()
        assert all(describe(seen))
        assert all(advice_sentences(seen))
    assert all(said.startswith("expected") for said in refusals)
    # a third is too small, a sixth has equal frames, an eighth is scaled too far
    assert measured > 30


def test_only_a_gain_known_to_a_quarter_is_told():
    seen = measure_noise(recorded(ramp(16, 64), 5, 2, 1), offset=100.0)
    assert seen.gain_told
    flat = np.random.default_rng(0).normal(5000.0, 60.0, (16, 64, 64))
    assert not measure_noise(flat).gain_told


def test_a_recipe_like_a_stack_has_numbers_of_four_digits():
    seen = measure_noise(recorded(ramp(16, 64), 5, 2, 1))
    noise = recipe_like(seen)
    readout = noise.stages[1]
    for number, read in (
        (noise.dose, seen.dose),
        (readout.gain, seen.gain),
        (readout.offset, seen.offset),
        (readout.readout_std, seen.readout_std),
    ):
        assert number == float(f"{read.value:.4g}")


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (np.zeros((4, 8, 64)), "larger crop"),
        (np.full((4, 64, 64), 3), "every value is 3"),
        (np.full((4, 64, 64), np.nan), "finite"),
        (np.tile(np.arange(64.0), (8, 64, 1)), "frames are equal"),
    ],
)
def test_what_has_no_noise_to_read_is_refused(stack, said):
    with pytest.raises(UnusableStack, match=said):
        measure_noise(stack)


def test_kernels_share_out_the_cumulants_of_noise():
    """Known answer 32: the Laplacian's gain is 1.125."""
    laplacian = np.full((3, 3), -1 / 8)
    laplacian[1, 1] = 1
    assert cumulant_shares(laplacian)[0] == pytest.approx(1.125)
    assert cumulant_shares(np.array([-0.5, 1, -0.5])) == (1.5, 0.75, 1.125)


def test_the_same_stack_gives_the_same_numbers():
    counts = recorded(ramp(8, 64), 3, 2, 1)
    first, again = measure_noise(counts), measure_noise(counts.copy())
    assert (first.gain, first.offset, first.dose) == (
        again.gain,
        again.offset,
        again.dose,
    )


def test_a_real_movie_is_described_without_invented_quanta(colloids):
    """A bright, compressed camera movie: its noise is shared, its gain not told."""
    stack: Stack = read_stack(colloids)
    seen = measure_noise(stack.read())
    assert not seen.counting
    assert seen.correlated
    assert seen.offset.source is Source.ASSUMED
