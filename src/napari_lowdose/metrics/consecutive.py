"""Consecutive structural similarity: how alike neighbouring frames are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.metrics.metric import Metric

_C1 = 0.01**2
_C2 = 0.03**2


def css(stack: Real[ndarray, "t y x"], *, c1: float = _C1, c2: float = _C2) -> float:
    """Compare each frame with the next by their means, variances and covariance.

    Parameters
    ----------
    stack
        An estimate of shape (t, y, x) with at least 2 frames; its own range, one for
        the whole stack, is scaled to 0..1.
    c1, c2
        Keep the ratios finite. They also lift the score: noise of a hundredth of the
        range alone already gets 0.82.

    Returns
    -------
    float
        Mean over pairs of frames, between -1 and 1. Alike in mean and variance, two
        frames score their correlation, up to the constants.

    Raises
    ------
    ValueError
        If there is only one frame.

    References
    ----------
    Noise2Atom, Appl. Microsc. 50, 23 (2020), eq. 10.
    """
    if len(stack) < 2:
        raise ValueError(f"expected at least 2 frames to compare, got {len(stack)}")
    low = float(stack.min())
    span = float(stack.max()) - low or 1.0
    pairs = []
    previous, mean_before, variance_before = np.empty(0), 0.0, 0.0
    for i, frame in enumerate(stack):
        scaled = (frame.astype(np.float64) - low) / span
        mean = float(scaled.mean())
        residual = scaled - mean
        variance = float(np.mean(residual**2))
        if i:
            covariance = float(np.mean(previous * residual))
            pairs.append(
                _ratio(2 * mean_before * mean, mean_before**2 + mean**2, c1)
                * _ratio(2 * covariance, variance_before + variance, c2)
            )
        previous, mean_before, variance_before = residual, mean, variance
    return float(np.mean(pairs))


def css_plain(stack: Real[ndarray, "t y x"]) -> float:
    """Measure `css` without its constants: low contrast no longer counts as alike."""
    return css(stack, c1=0.0, c2=0.0)


def _ratio(above: float, below: float, constant: float) -> float:
    """Divide; two empty frames are alike, as they are with any constant above zero."""
    return (above + constant) / (below + constant) if below + constant else 1.0


_LIE = (
    "It rewards whatever makes frames alike: pure noise averaged over w frames gets "
    "(w - 1) / w, a constant gets 1, and real motion lowers it."
)

CSS = Metric(
    measure=css,
    needs_truth=False,
    unit="",
    higher_is_better=True,
    least_shape=(2, 1, 1),
    summary=f"Similarity of consecutive frames. {_LIE}",
)
CSS_PLAIN = Metric(
    measure=css_plain,
    needs_truth=False,
    unit="",
    higher_is_better=True,
    least_shape=(2, 1, 1),
    summary="Similarity of consecutive frames without the constants that lift stacks "
    f"of low contrast. {_LIE}",
)
