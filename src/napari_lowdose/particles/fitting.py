"""Fitting spots to counts on backgrounds that are known, or are fitted as well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy import ndarray

from napari_lowdose.particles.ground import Grounds
from napari_lowdose.particles.likelihood import Amplitudes, fit_amplitude, maximise

# Below this evidence it does not matter that a plane was fitted without the spot.
_NEAR = 1.0


def on_ground(
    grounds: Sequence[Grounds], sign: Int[ndarray, " n"]
) -> tuple[Amplitudes, Float64[ndarray, " n"]]:
    """Fit spots on backgrounds that are fitted as well, in one frame or in several.

    In all frames the spot has the same share of the quanta in its window: the same
    amplitude where they are as bright.

    From the fit without a spot the likelihood is followed along the line on which the
    background gives way to the spot. For a flat background that is where it is largest
    for each share of the spot; a plane is fitted again beneath the spot, and followed
    from there.

    Parameters
    ----------
    grounds
        Of each frame, fitted without spots.
    sign
        As in `maximise`.

    Returns
    -------
    amplitudes, background
        Means over the frames; the background in quanta per pixel.
    """
    scales = [each.quanta_per_share for each in grounds]
    share, evidence = _follow(grounds, scales, sign)
    found = np.stack([*_described(grounds, scales, share), evidence])
    rows = np.flatnonzero(evidence > _NEAR)
    if grounds[0].basis.shape[1] > 1 and len(rows):
        beneath = [
            ground.refitted(rows, scale[rows] * share[rows])
            for ground, scale in zip(grounds, scales, strict=True)
        ]
        scales = [scale[rows] for scale in scales]
        change, gained = _follow(beneath, scales, np.zeros_like(rows))
        for old, new in zip(grounds, beneath, strict=True):
            gained += 2 * new.gain_over(old, rows)
        better = (gained > evidence[rows]) & (sign[rows] * (share[rows] + change) >= 0)
        again = np.stack([*_described(beneath, scales, change), gained])
        found[:, rows[better]] = again[:, better]
    amplitude, std, background, evidence = found
    return Amplitudes(amplitude, std, evidence), background


def _described(
    grounds: Sequence[Grounds],
    scales: Sequence[Float64[ndarray, " n"]],
    share: Float64[ndarray, " n"],
) -> Float64[ndarray, "3 n"]:
    """Give amplitude, its deviation and the background, means over the frames."""
    changes = [share * scale for scale in scales]
    both = list(zip(grounds, changes, strict=True))
    known = np.sum([ground.information(change) for ground, change in both], axis=0)
    with np.errstate(divide="ignore"):
        std = 1 / np.sqrt(np.maximum(known, 0))
    amplitude = np.mean([ground.amplitude + change for ground, change in both], axis=0)
    background = np.mean([ground.background(change) for ground, change in both], axis=0)
    return np.stack([amplitude, std, background])


def _follow(
    grounds: Sequence[Grounds],
    scales: Sequence[Float64[ndarray, " n"]],
    sign: Int[ndarray, " n"],
) -> tuple[Float64[ndarray, " n"], Float64[ndarray, " n"]]:
    """Change the share of a spot until the counts are most likely."""
    steep = [
        g.contrast * scale[:, None] for g, scale in zip(grounds, scales, strict=True)
    ]
    lost = np.sum([g.lost * s for g, s in zip(grounds, scales, strict=True)], axis=0)
    safe = [np.where(scale > 0, scale, 1.0) for scale in scales]
    limits = [g.limits for g in grounds]
    low = np.max([lim[0] / s for lim, s in zip(limits, safe, strict=True)], axis=0)
    high = np.min([lim[1] / s for lim, s in zip(limits, safe, strict=True)], axis=0)
    counts = np.concatenate([each.counts for each in grounds], axis=1)
    return maximise(counts, np.concatenate(steep, axis=1), lost, (low, high), sign)


def on_known(
    counts: Float64[ndarray, "n p"],
    shape: Float64[ndarray, "n p"],
    valid: Bool[ndarray, "n p"],
    background: Float64[ndarray, "n p"],
    sign: Int[ndarray, " n"],
) -> Amplitudes:
    """Fit spots on a background that is known."""
    return fit_amplitude(
        np.where(valid, counts, 0.0),
        np.where(valid, shape, 0.0),
        np.where(valid, background, 1.0),
        sign=sign,
    )
