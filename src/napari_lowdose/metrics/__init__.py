"""Scores of an estimate, with and without truth; one table for all."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.metrics.added_detail import cross_frc
from napari_lowdose.metrics.consecutive import CSS, CSS_PLAIN, css_between
from napari_lowdose.metrics.decorrelation import decorrelation
from napari_lowdose.metrics.every import EVERY_SCORE, scores_of
from napari_lowdose.metrics.fidelity import (
    bias_map,
    poisson_deviance,
    slope_and_intercept,
)
from napari_lowdose.metrics.flatness import rsd
from napari_lowdose.metrics.lattice import hexagonal_spacing, lattice_order
from napari_lowdose.metrics.metric import Metric, Score, Scored
from napari_lowdose.metrics.noise2self import noise2self_loss
from napari_lowdose.metrics.reference import MSE, PSNR, SSIM, data_range
from napari_lowdose.metrics.residual import noise_variance, residual_statistics
from napari_lowdose.metrics.ring_correlation import Threshold, frc
from napari_lowdose.metrics.unsupervised import (
    UnseenError,
    thinned_error,
    umse,
    umse_from_neighbours,
)

METRICS: Mapping[str, Metric] = {
    "mse": MSE,
    "psnr": PSNR,
    "ssim": SSIM,
    "css": CSS,
    "css_plain": CSS_PLAIN,
}

__all__ = [
    "EVERY_SCORE",
    "METRICS",
    "Metric",
    "Score",
    "Scored",
    "Threshold",
    "UnseenError",
    "bias_map",
    "cross_frc",
    "css_between",
    "data_range",
    "decorrelation",
    "frc",
    "hexagonal_spacing",
    "lattice_order",
    "noise2self_loss",
    "noise_variance",
    "poisson_deviance",
    "residual_statistics",
    "rsd",
    "score",
    "scores_of",
    "slope_and_intercept",
    "thinned_error",
    "umse",
    "umse_from_neighbours",
]


def score(
    estimate: Real[ndarray, "..."], truth: Real[ndarray, "..."] | None = None
) -> dict[str, float]:
    """Measure every score that the data allow.

    Parameters
    ----------
    estimate
        Counts of shape (t, y, x).
    truth
        Expected counts in the same unit and shape. Without it only the similarity of
        consecutive frames is left, which never suffices to rank methods.

    Returns
    -------
    dict
        By name, in the order of `METRICS`; scores that need more frames or larger ones
        are left out.

    Raises
    ------
    ValueError
        If the shapes differ or have not three axes, or the truth has no contrast.
    """
    if estimate.ndim != 3:
        raise ValueError(
            f"expected an estimate of shape (t, y, x), got {estimate.shape}; "
            "choose one channel and one z first"
        )
    if truth is not None and truth.shape != estimate.shape:
        raise ValueError(
            f"expected a truth of the estimate's shape {estimate.shape}, "
            f"got {truth.shape}"
        )
    scores = {}
    for name, metric in METRICS.items():
        if not metric.applies(estimate.shape):
            continue
        if not metric.needs_truth:
            scores[name] = metric.measure(estimate)
        elif truth is not None:
            scores[name] = metric.measure(estimate, truth)
    return scores
