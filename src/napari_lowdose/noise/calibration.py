"""Offset and readout noise from frames in the dark, gain from evenly lit ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from numpy import ndarray

_MOST_FRAMES = 64
_LOUD = 30.0  # times the median variance


@dataclass(frozen=True)
class Known:
    """A number that is known beforehand, with its standard error."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """What is known of a detector beforehand; None what is not."""

    gain: Known | None = None
    offset: Known | None = None
    readout_variance: Known | None = None


def calibrate(
    dark: Real[ndarray, "t y x"] | None, flats: Sequence[Real[ndarray, "_ _ _"]]
) -> Calibration:
    """Read the detector off dark and flat frames.

    Parameters
    ----------
    dark
        Frames (t, y, x) without any beam or light, in counts.
    flats
        Stacks (t, y, x) of evenly lit frames, one stack per brightness; two frames of
        each will do, since their difference is free of the pattern.

    Raises
    ------
    ValueError
        If a flat has fewer than two frames, or all have one brightness and there is
        no dark.

    References
    ----------
    J. R. Janesick, Photon Transfer, SPIE Press (2007).
    """
    offset = readout = None
    points = []
    if dark is not None:
        mean, variance, error, n = _moments(dark)
        offset = Known(mean, float(np.sqrt(variance / n)))
        readout = Known(variance, error)
        points.append((mean, variance, error))
    for number, flat in enumerate(flats, 1):
        if len(flat) < 2:
            raise ValueError(
                f"expected at least two frames of each flat, got one in flat {number}; "
                "record the same light twice"
            )
        points.append(_moments(flat)[:3])
    if not flats:
        return Calibration(None, offset, readout)
    means, variances, errors = np.array(points).T
    if len(points) < 2 or np.ptp(means) < 1e-9:
        raise ValueError(
            "expected flats of at least two brightnesses, or a dark stack beside one, "
            f"got {len(flats)} of {means[0]:g} counts; add a dark stack"
        )
    fit, covariance = np.polyfit(means, variances, 1, w=1 / errors, cov="unscaled")
    return Calibration(
        Known(float(fit[0]), float(np.sqrt(covariance[0, 0]))), offset, readout
    )


def _moments(
    frames: Real[ndarray, "t y x"],
) -> tuple[float, float, float, int]:
    """Give mean, variance in time, its standard error, and the number of values."""
    chosen = frames[:_MOST_FRAMES].astype(np.float64)
    mean = float(np.median(chosen, axis=0).mean()) if len(chosen) > 2 else chosen.mean()
    if len(chosen) > 1:
        noise = np.diff(chosen, axis=0)
        noise -= noise.mean(axis=(1, 2), keepdims=True)  # a lamp flickers
        pixels = np.square(noise).mean(axis=0).ravel() / 2
    else:
        pixels = np.square(np.diff(chosen[0], axis=1)[:, ::2]).ravel() / 2
    # Hot pixels are few but loud.
    kept = pixels[pixels <= _LOUD * max(float(np.median(pixels)), 1e-30)]
    if not kept.any():
        kept = pixels
    error = max(float(kept.std() / np.sqrt(kept.size)), 1e-9)
    return float(mean), float(kept.mean()), error, chosen.size
