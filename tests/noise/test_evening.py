import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lowdose.noise import Noise, add_noise, evened, given_back, shared_by_frames
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
    found = shared_by_frames(lagging(counted[0], share))
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
        assert shared_by_frames(counts) == 0


def test_next_to_nothing_is_no_shared_noise():
    assert shared_by_frames(np.ones((7, 16, 16))) == 0  # too few frames
    assert shared_by_frames(np.ones((20, 16, 16))) == 0
    assert shared_by_frames(np.full((20, 16, 16), np.nan)) == 0
    assert shared_by_frames(np.ones((20, 1, 1))) == 0


def test_evened_noise_is_independent():
    white = np.random.default_rng(0).standard_normal((60, 64, 64))
    lag = lagging(white, 0.3)
    shared = shared_by_frames(lag)
    assert shared > 0.2
    even = evened(5 + lag, shared, 5.0)
    assert shared_by_frames(even) == 0
    ends = [np.mean((even[k:] - 5) * (even[: len(even) - k] - 5)) for k in (1, 2, 3)]
    # Of a variance of 1.09; as means of 240,000 products they are known to 0.002.
    np.testing.assert_allclose(ends, 0, atol=0.02)


@given(
    shared=st.floats(0, 0.45),
    around=st.floats(-100, 100),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9)),
)
def test_what_is_given_back_is_what_was_there(shared, around, shape):
    stack = np.random.default_rng(0).poisson(5, shape).astype(np.uint16)
    before = stack.copy()
    even = evened(stack, shared, around)
    assert even.dtype == np.float32
    # float32 of numbers up to some hundred, weighed by at most 3 and back
    np.testing.assert_allclose(given_back(even, shared, around), before, atol=2e-3)
    np.testing.assert_array_equal(stack, before)


def test_a_brightness_that_lasts_stays_where_it_is():
    still = np.full((12, 4, 4), 7, np.float32)
    np.testing.assert_allclose(evened(still, 0.3, 7.0), still, rtol=1e-6)
