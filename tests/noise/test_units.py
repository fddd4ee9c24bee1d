"""The units in which base models see a stack."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import TRAINED_DOSE, NoiseUnits, read_noise_units
from napari_lowdose.specimens import SPECIMENS


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Expected brightness of a moving catalyst, with a mean of one."""
    kind = SPECIMENS["catalyst"]
    movie = kind.render(kind.settings(frames=24, size=96)).stack.read().astype(float)
    return movie / movie.mean()


def recorded(scene, dose, gain=2.0, offset=100.0, readout_std=4.0, seed=0):
    rng = np.random.default_rng(seed)
    counts = gain * rng.poisson(dose * scene) + offset
    return counts + rng.normal(0, readout_std, scene.shape)


def said(notes, word) -> bool:
    return any(word in note for note in notes)


def test_forward_and_inverse_undo_each_other():
    units = NoiseUnits.of_detector(300.0, gain=2.0, offset=100.0, readout_std=4.0)
    counts = np.linspace(0, 1000, 60, dtype=np.float32).reshape(3, 4, 5)
    values = units.forward(counts)
    assert values.dtype == np.float32
    # single precision holds numbers up to 1000 to 6e-5
    np.testing.assert_allclose(units.inverse(values), counts, atol=2e-4)
    assert units.inverse(np.zeros((1, 1, 1), np.float32)).item() == 300


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64])
def test_counts_of_any_kind_become_the_same_values(dtype):
    units = NoiseUnits(100.0, 5.0, 0.0, 0.0, 5.0)
    counts = np.arange(240).reshape(4, 6, 10)
    expected = (counts - 100.0) / 5.0
    np.testing.assert_allclose(units.forward(counts.astype(dtype)), expected, rtol=1e-6)


def test_a_high_offset_costs_no_digits():
    units = NoiseUnits(1e9 + 0.5, 1.0, 0.0, 0.0, 1.0)
    values = units.forward(np.array([[[1_000_000_000, 1_000_000_001]]]))
    np.testing.assert_array_equal(values.ravel(), [-0.5, 0.5])


def test_the_level_is_one_at_the_mean_and_grows_as_the_root():
    units = NoiseUnits.of_detector(25.0, gain=1.0, offset=0.0, readout_std=0.0)
    levels = units.level(np.array([25.0, 100.0, 6.25, 0.0, -9.0]))
    np.testing.assert_allclose(levels, [1, 2, 0.5, 0.05, 0.05], rtol=1e-6)
    assert levels.dtype == np.float32


def test_a_detector_without_noise_is_refused():
    with pytest.raises(ValueError, match="expected noise"):
        NoiseUnits.of_detector(10.0, gain=0.0, offset=0.0, readout_std=0.0)


@pytest.mark.parametrize("dose", [0.3, 3, 30])
@pytest.mark.parametrize(
    ("gain", "offset", "readout_std"), [(1, 0, 0), (2, 100, 4), (25, 500, 5)]
)
def test_noise_is_read_at_the_mean_and_at_other_brightness(
    scene, dose, gain, offset, readout_std
):
    counts = recorded(scene, dose, gain, offset, readout_std)
    units, _ = read_noise_units(np.rint(counts).clip(0).astype(np.uint16))
    mean = gain * dose + offset
    # the mean of n values varies by their deviation over the root of n; whole counts
    # that may not be negative lie a little higher
    assert units.mean == pytest.approx(mean, abs=0.05 * gain + 0.01 * dose * gain)
    true = np.sqrt(gain**2 * dose + readout_std**2)
    # the target; rounding adds a twelfth to a variance of 0.3 at least
    assert units.std == pytest.approx(true, rel=0.1)
    bright = gain * 3 * dose + offset
    level = float(units.level(np.array([bright]))[0])
    expected = np.sqrt(gain**2 * 3 * dose + readout_std**2) / true
    # between no slope and the right one where readout noise hides it, else near
    hidden = gain * np.sqrt(dose) < 2 * readout_std
    assert (0.95 if hidden else 0.85 * expected) < level < 1.15 * expected


def test_gaussian_noise_is_alike_everywhere(scene):
    counts = 100 * scene + np.random.default_rng(0).normal(0, 20, scene.shape)
    units, notes = read_noise_units(counts)
    assert units.std == pytest.approx(20, rel=0.05)
    # from the dark ground to the brightest particle
    levels = units.level(np.array([60.0, 300.0]))
    np.testing.assert_allclose(levels, 1, atol=0.15)
    assert not said(notes, "dose")


@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 0), (3.7, 0), (1, 1e4), (50, 9)])
def test_scale_and_shift_of_a_stack_are_those_of_its_units(scene, scale, shift):
    counts = recorded(scene, 20)
    units, _ = read_noise_units(counts)
    other, _ = read_noise_units(counts * scale + shift)
    assert other.mean == pytest.approx(units.mean * scale + shift, rel=1e-9)
    # a value or two may be sorted otherwise where single precision rounds
    assert other.std == pytest.approx(units.std * scale, rel=1e-3)
    same = units.forward(counts)
    # as much, of values up to some ten
    np.testing.assert_allclose(other.forward(counts * scale + shift), same, atol=0.02)


def test_powers_of_two_change_no_digit(scene):
    counts = recorded(scene, 5)
    units, notes = read_noise_units(counts)
    other, same = read_noise_units(counts * 2.0**-30)
    assert (other.mean, other.std) == (units.mean * 2.0**-30, units.std * 2.0**-30)
    assert notes == same


def test_blurred_noise_counts_as_large_areas_see_it(scene):
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.normal(0, 50, scene.shape), (0, 0.7, 0.7))
    units, notes = read_noise_units(100 * scene + noise)
    # a blur leaves the noise of large areas as it was; the map ends two pixels away
    assert units.std == pytest.approx(50, rel=0.1)
    assert units.std > 2 * noise.std()
    assert said(notes, "blotches")


def test_frames_that_share_noise_count_as_long_times_see_it():
    rng = np.random.default_rng(0)
    white = rng.normal(0, 10, (41, 96, 96))
    units, notes = read_noise_units(100 + (white[1:] + white[:-1]) / 2)
    assert units.std == pytest.approx(10, rel=0.15)
    assert said(notes, "next one")


def test_things_that_jump_are_no_noise():
    rng = np.random.default_rng(0)
    movie = np.full((32, 128, 128), 20.0)
    for frame in movie:
        for y, x in rng.integers(0, 120, (40, 2)):
            frame[y : y + 6, x : x + 6] = 2000
    counts = rng.normal(movie, 10)
    units, _ = read_noise_units(counts)
    # 9 % of the pixels differ by 200 times the noise
    assert units.std == pytest.approx(10, rel=0.15)


@pytest.mark.parametrize(
    "shape", [(1, 64, 64), (2, 64, 64), (3, 40, 40), (5, 12, 12), (40, 8, 8), (1, 9, 9)]
)
def test_few_values_tell_the_noise_all_the_same(shape):
    counts = np.random.default_rng(0).normal(50, 7, shape)
    units, notes = read_noise_units(counts)
    # a deviation of n values is known to 1 / sqrt(2 n); differences share their values
    error = 3 * np.sqrt(9 / (2 * counts.size))
    assert units.std == pytest.approx(7, rel=max(error, 0.05))
    assert said(notes, "one frame") == (shape[0] == 1)


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 1, 1), (1, 2, 2), (1, 1, 50)])
def test_the_smallest_stacks_have_units(shape):
    counts = np.random.default_rng(0).integers(0, 50, shape).astype(np.uint8)
    counts.flat[0] = 99
    units, notes = read_noise_units(counts)
    assert 0 < units.std < 100
    assert notes


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(scene, bad):
    counts = recorded(scene, 1)
    counts[3, 4, 5] = bad
    with pytest.raises(UnusableStack, match="finite"):
        read_noise_units(counts)


def test_equal_values_are_refused():
    with pytest.raises(UnusableStack, match="every value is 7"):
        read_noise_units(np.full((4, 32, 32), 7, np.uint16))


def test_an_even_middle_is_no_even_stack():
    counts = np.zeros((90, 32, 32))
    counts[:5] = np.random.default_rng(0).normal(size=(5, 32, 32))
    units, notes = read_noise_units(counts)
    assert units.std > 0
    assert said(notes, "Almost no noise")


def test_a_clean_still_stack_gets_a_floor_and_a_sentence(scene):
    still = np.repeat(scene[:1], 8, axis=0)
    units, notes = read_noise_units(still)
    # half a per cent of the stack's own deviation
    assert units.std == pytest.approx(0.005 * still.std(), rel=1e-6)
    assert (units.gain, units.level(still).min(), units.level(still).max()) == (0, 1, 1)
    assert said(notes, "Almost no noise")


@pytest.mark.parametrize(("dose", "outside"), [(0.05, True), (3, False), (400, True)])
def test_doses_that_were_not_trained_are_told(scene, dose, outside):
    assert TRAINED_DOSE == (0.3, 100.0)
    _, notes = read_noise_units(recorded(scene, dose, 1, 0, 0).astype(np.uint16))
    assert said(notes, "trained for 0.3 to 100") == outside


def test_saturated_and_hot_pixels_are_told_and_do_no_harm(scene):
    counts = recorded(scene, 20)
    counts[:, ::13, ::11] += 500
    units, notes = read_noise_units(np.minimum(counts, 1000))
    assert said(notes, "hot")
    true = np.sqrt(2 * (units.mean - 100) + 16)
    assert units.std == pytest.approx(true, rel=0.15)
    _, notes = read_noise_units(np.minimum(recorded(scene, 20), 160).astype(np.uint16))
    assert said(notes, "saturated")


def test_counts_below_zero_are_counts_too(scene):
    counts = recorded(scene, 5, offset=0.0)
    assert counts.min() < 0
    units, _ = read_noise_units(counts)
    assert units.std == pytest.approx(6, rel=0.1)


def test_the_stack_is_left_alone(scene):
    counts = recorded(scene, 5)
    before = counts.copy()
    units, _ = read_noise_units(counts)
    units.forward(counts)
    units.level(counts)
    np.testing.assert_array_equal(counts, before)
