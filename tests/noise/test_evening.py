import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.fft import dctn

from napari_lowdose.noise import (
    Noise,
    SharedNoise,
    add_noise,
    evened,
    given_back,
    measure_noise,
    read_evened,
)
from napari_lowdose.noise.correlation import shared_with_next
from napari_lowdose.specimens import SPECIMENS, Catalyst


def lagging(stack: np.ndarray, share: float) -> np.ndarray:
    """Leave a share of each frame in the next one, as an afterglow does."""
    before = np.concatenate([stack[:1], stack[:-1]])
    return (stack + share * before).astype(np.float32)


@pytest.fixture(scope="module")
def counted() -> tuple[np.ndarray, np.ndarray]:
    clean = SPECIMENS["catalyst"].render(Catalyst(frames=48, size=96, seed=5)).stack
    noisy, truth = add_noise(clean, Noise(dose=2.0))
    return noisy.read(), truth.read()


@pytest.mark.parametrize("share", [0.06, 0.1, 0.3])
def test_what_frames_share_is_told(counted, share):
    _, reading = read_evened(lagging(counted[0], share))
    assert reading.shared.neighbours is None
    found = reading.shared.frames
    # That of n(t) + a n(t - 1); its standard error is 0.008 here.
    assert found == pytest.approx(share / (1 + share**2), abs=0.03)


@pytest.mark.parametrize("kind", sorted(SPECIMENS))
def test_what_moves_is_not_taken_for_shared_noise(kind):
    specimen = SPECIMENS[kind]
    for stride in (1, 3):
        start = specimen.settings(frames=36 * stride, size=96)
        settings = specimen.vary(start, np.random.default_rng(stride))
        movie = specimen.render(settings).stack.read()[::stride]
        counts = np.random.default_rng(0).poisson(10 * movie / movie.mean())
        even, reading = read_evened(counts)
        assert not reading.shared
        assert even is counts


def test_next_to_nothing_is_no_shared_noise():
    assert shared_with_next(np.ones((7, 16, 16))) == 0  # too few frames
    assert shared_with_next(np.ones((20, 16, 16))) == 0
    assert shared_with_next(np.full((20, 16, 16), np.nan)) == 0
    assert shared_with_next(np.ones((20, 1, 1))) == 0


def test_evened_noise_is_independent():
    white = np.random.default_rng(0).standard_normal((60, 64, 64))
    lag = lagging(white, 0.3)
    shared = shared_with_next(lag)
    assert shared > 0.2
    even = evened(5 + lag, SharedNoise(shared), 5.0)
    assert shared_with_next(even) == 0
    ends = [np.mean((even[k:] - 5) * (even[: len(even) - k] - 5)) for k in (1, 2, 3)]
    # Of a variance of 1.09; as means of 240,000 products they are known to 0.002.
    np.testing.assert_allclose(ends, 0, atol=0.02)


def spread(stack: np.ndarray, weights: list[float]) -> np.ndarray:
    """Have each pixel's light spread along rows and columns."""
    rows = ndimage.convolve1d(stack.astype(np.float32), weights, axis=1)
    return ndimage.convolve1d(rows, weights, axis=2)


def correlation_of(weights: list[float]) -> np.ndarray:
    """Correlate noise after a spread, which is the same along rows and columns."""
    along = np.correlate(np.pad(weights, 2), weights)
    middle = along.argmax()
    along = along[middle - 2 : middle + 3] / along[middle]
    return np.outer(along, along)


SPREADS = {"light": [0.15, 0.7, 0.15], "shift": [0.3, 0.7], "half": [0.5, 0.5, 0]}


@pytest.mark.parametrize("weights", SPREADS.values(), ids=SPREADS)
def test_what_pixels_share_is_told_and_made_independent(counted, weights):
    counts = spread(counted[0], weights)
    even, reading = read_evened(counts)
    assert reading.shared.frames == 0
    # Its standard error is 0.01 here, and things move.
    found = reading.shared.neighbours
    np.testing.assert_allclose(found, correlation_of(weights), atol=0.05)
    assert not any(note.startswith("Neighb") for note in reading.notes)
    (note,) = reading.shared.notes()
    largest = np.delete(found.ravel(), 12).max()
    assert f"Neighbouring pixels share noise (a correlation of {largest:.2g})" in note
    around = measure_noise(even).correlation
    around[2, 2] = 0
    # Half a pixel leaves no noise at the finest details: as much is added everywhere,
    # while where it is bright more is lacking.
    assert np.abs(around).max() < (0.1 if weights == SPREADS["half"] else 0.06)
    # The noise of single pixels is as strong as before: of such tiles as are still.
    still = np.diff(even, axis=0).std()
    assert still == pytest.approx(np.diff(counts, axis=0).std(), rel=0.05)


def test_what_reaches_further_than_two_pixels_is_left_as_it_is(counted):
    counts = ndimage.gaussian_filter(counted[0].astype(np.float32), (0, 1.5, 1.5))
    even, reading = read_evened(counts)
    assert even is counts
    assert not reading.shared
    assert any("bin the movie" in note for note in reading.notes)


def test_a_blur_that_takes_noise_away_has_it_added(counted):
    """Else what sees the stack takes it for a noise that fine details lack."""
    counts = spread(counted[0], SPREADS["half"])
    _, reading = read_evened(counts)
    one, again = (evened(counts, reading.shared, 2.0) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    bare = evened(counts, reading.shared.of_truth(), 2.0)
    added = one - bare
    assert 0 < added.var() < 0.3 * bare.var()
    # Up to half of the highest frequency, both ways, nothing was lacking; float32.
    spectrum = dctn(added, axes=(1, 2), norm="ortho")
    assert np.abs(spectrum[:, :48, :48]).max() < 1e-4 * np.abs(spectrum).max()


@given(
    frames=st.floats(0, 0.45),
    side=st.floats(0, 0.15),
    around=st.floats(-100, 100),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9)),
)
def test_what_is_given_back_is_what_was_there(frames, side, around, shape):
    stack = np.random.default_rng(0).poisson(5, shape).astype(np.uint16)
    before = stack.copy()
    shared = SharedNoise(frames, correlation_of([side, 1 - 2 * side, side]))
    even = evened(stack, shared, around)
    assert even.dtype == np.float32
    # float32 of numbers up to some hundred, weighed by at most 8 and back
    np.testing.assert_allclose(given_back(even, shared, around), before, atol=2e-3)
    np.testing.assert_array_equal(stack, before)


def test_a_brightness_that_lasts_stays_where_it_is():
    still = np.full((12, 4, 4), 7, np.float32)
    shared = SharedNoise(0.3, correlation_of(SPREADS["light"]))
    np.testing.assert_allclose(evened(still, shared, 7.0), still, rtol=1e-6)
