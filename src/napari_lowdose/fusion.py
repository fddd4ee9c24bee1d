"""One estimate from the estimates of several planes, and how far those differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, Real
from numpy import ndarray

from napari_lowdose.config import Fusion, Plane

Estimates = Mapping[Plane, Float[ndarray, "t y x"]]
Frames = Float64[ndarray, "plane y x"]

# How far the weights are drawn to those of the plain mean.
_SHRINKAGE = 0.1
# The background of the veto: far wider than a particle, narrower than a frame.
_BACKGROUND_PX = 16.0


def fuse(
    estimates: Estimates,
    fusion: Fusion = Fusion.MEAN,
    *,
    covariance: Real[ndarray, "plane plane"] | None = None,
    weights: Estimates | None = None,
) -> Float32[ndarray, "t y x"]:
    """Combine the planes' estimates of one stack.

    Parameters
    ----------
    estimates
        At least one estimate, of shape (t, y, x), by plane; one alone is returned as it
        is, whatever the rule.
    fusion
        The rule. The mean is the paper's; inverse variance leaves the least squared
        error that fixed weights can; the veto keeps what all planes see (`_veto`) and
        makes amplitudes too low; learned weights differ from voxel to voxel.
    covariance
        For inverse variance: that of the planes' errors, in the order of `estimates`,
        as `optimal_weights` takes it.
    weights
        For learned weights: positive, of each estimate's shape, by plane; they need not
        sum to one.

    Returns
    -------
    Float32[ndarray, "t y x"]
        In the unit of the estimates. Sums are float64, so that equal estimates give
        exactly themselves.

    Raises
    ------
    ValueError
        If the rule lacks what it needs, or is `Fusion.AUTO`, which only those who know
        the model can settle.

    References
    ----------
    Tri-directional denoising of time-series images, section 2.2 (the mean).
    """
    if len(estimates) == 1:
        (alone,) = estimates.values()
        return alone.astype(np.float32)
    n_frames, height, width = next(iter(estimates.values())).shape
    fused = np.empty((n_frames, height, width), np.float32)
    if fusion is Fusion.LEARNED:
        by_voxel = _frames(_weights_of(estimates, weights))
        for frame, seen, share in zip(fused, _frames(estimates), by_voxel, strict=True):
            frame[:] = (share * seen).sum(axis=0) / share.sum(axis=0)
    elif fusion is Fusion.VETO:
        for frame, seen in zip(fused, _frames(estimates), strict=True):
            frame[:] = _veto(seen)
    else:
        fixed = _fixed_weights(len(estimates), fusion, covariance)
        for frame, seen in zip(fused, _frames(estimates), strict=True):
            frame[:] = np.tensordot(fixed, seen, axes=1) / fixed.sum()
    return fused


def disagreement(estimates: Estimates) -> Float32[ndarray, "t y x"]:
    """Measure how far the planes' estimates differ, voxel by voxel.

    It is the square root of ``sum((f - F)^2) / (n - 1)`` over the `n` planes' estimates
    `f`, with their plain mean `F`: large at edges, at motion, and where one plane sees
    what the others do not. It is no error bar: an error that all planes share is not in
    it. A single plane disagrees with none: zeros.

    Parameters
    ----------
    estimates
        Of shape (t, y, x), by plane.

    Returns
    -------
    Float32[ndarray, "t y x"]
        In the unit of the estimates.
    """
    first = next(iter(estimates.values()))
    differs = np.zeros(first.shape, np.float32)
    if len(estimates) > 1:
        for frame, seen in zip(differs, _frames(estimates), strict=True):
            frame[:] = seen.std(axis=0, ddof=1)
    return differs


def optimal_weights(
    covariance: Real[ndarray, "plane plane"],
) -> Float64[ndarray, " plane"]:
    """Find the weights that leave the least squared error in a weighted mean.

    The least error under a sum of one has ``w = S^-1 1 / (1^T S^-1 1)``. A plane whose
    weight would be negative is left out and the others are weighed again.

    So that a covariance from few data does not give wild weights, it is shrunk first,
    to ``0.9 S + 0.1 v I``, where `v` is the planes' variance about their own mean
    (``sum((f - F)^2) / (n - 1)``). That draws the weights to those of the plain mean;
    of two planes' weights, by a tenth. As `v` knows differences of planes only,
    a constant added to all of `S` changes nothing: errors may be measured against a
    noisy target, whose own noise is such a constant.

    Parameters
    ----------
    covariance
        ``S[i, j] = mean((f_i - target) (f_j - target))`` of the planes' estimates `f`,
        in counts squared; the target is the truth, or independent of the estimates'
        noise, as a thinned half is.

    Returns
    -------
    Float64[ndarray, " plane"]
        None negative; they sum to one.

    Raises
    ------
    ValueError
        If no errors can have this covariance.

    References
    ----------
    J. M. Bates and C. W. J. Granger, Oper. Res. Q. 20, 451 (1969).
    """
    errors = covariance - covariance.mean(dtype=np.float64)
    n = len(errors)
    centre = np.eye(n) - 1 / n
    spread = np.linalg.eigvalsh(centre @ errors @ centre)
    least = -1e-9 * max(float(np.abs(covariance).max()), 1e-300)
    if not (np.allclose(errors, errors.T) and spread.min() >= least):
        raise ValueError(
            "expected the covariance of the planes' errors, symmetric and with no "
            f"negative variance, got {covariance.tolist()}; measure it on one stack"
        )
    about_mean = max(float(spread.sum()), 0.0) / max(n - 1, 1)
    if not about_mean:
        return np.full(n, 1 / n)  # the planes do not differ
    shrunk = (1 - _SHRINKAGE) * errors / about_mean + _SHRINKAGE * np.eye(n)
    weights = np.zeros(n)
    kept = np.arange(n)
    while True:
        best = _least_error(shrunk[np.ix_(kept, kept)])
        if (best >= 0).all():
            weights[kept] = best / best.sum()
            return weights
        kept = kept[best > 0]


def _least_error(errors: Float64[ndarray, "n n"]) -> Float64[ndarray, " n"]:
    """Minimise ``w^T S w`` where the weights sum to one, by Lagrange's multiplier."""
    n = len(errors)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = errors
    system[n, n] = 0
    solution: ndarray = np.linalg.solve(system, np.eye(n + 1)[n])
    return solution[:n]


def _fixed_weights(
    n_planes: int, fusion: Fusion, covariance: ndarray | None
) -> Float64[ndarray, " plane"]:
    """Weigh whole estimates: ones for the mean, whose sum is exact."""
    if fusion is Fusion.MEAN:
        return np.ones(n_planes)
    if fusion is Fusion.AUTO:
        raise ValueError(
            "expected a rule to fuse by, got auto; choose the mean, or learned weights "
            "where the model has them"
        )
    if covariance is None or len(covariance) != n_planes:
        got = "none" if covariance is None else f"one of {len(covariance)}"
        raise ValueError(
            f"inverse_variance: expected the covariance of the errors of {n_planes} "
            f"planes, got {got}; measure it where the truth is known, or choose mean"
        )
    return optimal_weights(covariance)


def _weights_of(estimates: Estimates, weights: Estimates | None) -> Estimates:
    """Put the weights in the order of the estimates."""
    if weights is None or not estimates.keys() <= weights.keys():
        wanted = ", ".join(estimates)
        got = ", ".join(weights) if weights else "none"
        raise ValueError(
            f"learned: expected weights for {wanted}, got {got}; take them from a "
            "model that has learned to fuse, or choose mean"
        )
    return {plane: weights[plane] for plane in estimates}


def _veto(seen: Frames) -> Float64[ndarray, "y x"]:
    """Keep of each deviation from the background the smallest, if all have its sign.

    The background is a wide Gaussian mean of the frame, so that a dark particle counts
    like a bright one. What one plane does not see is gone, and of what all see the
    smallest amplitude stays: phantoms vanish, and amplitudes come out low.
    """
    background = cv2.GaussianBlur(
        seen.mean(axis=0), (0, 0), _BACKGROUND_PX, borderType=cv2.BORDER_REFLECT
    )
    kept: ndarray = background + _minmod(seen - background)
    return kept


def _minmod(deviations: Frames) -> Float64[ndarray, "y x"]:
    """Take the value nearest to zero where all have one sign, else zero."""
    lowest, highest = deviations.min(axis=0), deviations.max(axis=0)
    smallest: ndarray = np.maximum(lowest, 0) + np.minimum(highest, 0)
    return smallest


def _frames(images: Estimates) -> Iterator[Frames]:
    """Give each frame of all planes in float64; no stack is ever copied."""
    for frames in zip(*images.values(), strict=True):
        yield np.stack(frames).astype(np.float64)
