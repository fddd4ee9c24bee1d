"""Similarity of frames: what averaging makes of it, and how not to be fooled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.metrics import css_between
from napari_lowdose.metrics.consecutive import CSS_TERMS, css, css_plain


def leaking(seed, width=5, frames=70):
    noise = np.random.default_rng(seed).normal(0, 1, (frames, 64, 64))
    return ndimage.uniform_filter1d(noise, width, axis=0)[width:-width]


@pytest.mark.parametrize("lag", [1, 2, 4, 8])
def test_pure_noise_averaged_over_frames_stays_alike_for_so_long(lag):
    expected = max(5 - lag, 0) / 5
    assert css_plain(leaking(0), lag=lag) == pytest.approx(expected, abs=0.02)


def test_of_disjoint_noise_nothing_is_alike_however_long_it_is_averaged():
    rng = np.random.default_rng(0)
    (score,) = css_between(leaking(0), leaking(1), rng=rng)
    # sixty pairs, of which 12 are independent, of 4096 pixels: 0.0045
    assert abs(score.value) < 3 * 0.0045
    assert score.std_error < 0.01


def test_between_a_stack_and_itself_is_css():
    stack, rng = leaking(0), np.random.default_rng(0)
    (score,) = css_between(stack, stack, rng=rng, constants=CSS_TERMS)
    plain = css_between(stack, stack.copy(), rng=rng, lags=(1, 4))
    # the same sums in another order
    assert score.value == pytest.approx(css(stack), rel=1e-9)
    assert plain[0].value == pytest.approx(css_plain(stack), rel=1e-9)
    assert plain[1].value == pytest.approx(css_plain(stack, lag=4), rel=1e-9)


def test_its_standard_error_is_its_scatter():
    rng = np.random.default_rng(0)
    stacks = [leaking(seed, frames=20) for seed in range(30)]
    scores = [css_between(stack, stack, rng=rng)[0] for stack in stacks]
    scatter = np.std([score.value for score in scores])
    error = np.mean([score.std_error for score in scores])
    # a deviation of 30 is known to 13 %, each error from 16 tiles to 18 %
    assert error == pytest.approx(scatter, rel=0.45)


def test_frames_too_few_or_unlike_are_refused():
    stack, rng = np.ones((3, 4, 4)), np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least 5 frames to compare, got 3"):
        css_between(stack, stack, lags=(1, 4), rng=rng)
    with pytest.raises(ValueError, match="one shape"):
        css_between(stack, stack[1:], rng=rng)
