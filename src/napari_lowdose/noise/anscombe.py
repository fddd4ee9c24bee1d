"""Values of unit noise from counts, and counts from those."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

_SMALLEST = np.float32(2 * np.sqrt(3 / 8))  # of no electron, without readout noise


class Inverse(StrEnum):
    """How stabilized values become counts again."""

    UNBIASED = "unbiased"  # of a denoised value: an estimate of the mean
    ALGEBRAIC = "algebraic"  # of a noisy value: undoes the transform
    ASYMPTOTIC = "asymptotic"  # unbiased at many counts


def anscombe(
    counts: Real[ndarray, "..."],
    *,
    gain: float = 1.0,
    offset: float = 0.0,
    readout_std: float = 0.0,
) -> Float[ndarray, "..."]:
    """Map Poisson-Gaussian counts to values whose noise has a deviation of 1.

    Below some two electrons per pixel it does not hold without readout noise: the
    deviation is 0.96 at two, 0.85 at one and 0.34 at a tenth.

    Parameters
    ----------
    counts
        Detector output, any shape, in counts.
    gain
        Counts per electron; `measure_noise` reads it off a stack.
    offset
        Counts in the dark.
    readout_std
        Standard deviation of the readout noise, in counts.

    Returns
    -------
    ndarray
        float32, without unit; at least zero.

    Raises
    ------
    ValueError
        If the gain is not positive, or the readout noise negative.

    References
    ----------
    F. Murtagh, J.-L. Starck and A. Bijaoui, Astron. Astrophys. Suppl. 112, 179 (1995).
    """
    noise = _noise_in_electrons(gain, readout_std)
    stabilized = (np.asarray(counts, np.float32) - np.float32(offset)) / gain
    stabilized += np.float32(3 / 8 + noise**2)
    np.maximum(stabilized, 0, out=stabilized)
    np.sqrt(stabilized, out=stabilized)
    stabilized *= 2
    return stabilized.astype(np.float32, copy=False)


def inverse_anscombe(
    stabilized: Float[ndarray, "..."],
    *,
    gain: float = 1.0,
    offset: float = 0.0,
    readout_std: float = 0.0,
    kind: Inverse = Inverse.UNBIASED,
) -> Float[ndarray, "..."]:
    """Map stabilized values back to counts.

    The mean of square roots is not the root of the mean: a denoised value must be
    mapped back by the unbiased inverse, which is right to 0.03 electrons.

    Parameters
    ----------
    stabilized
        What `anscombe` gave, denoised or not.
    gain, offset, readout_std
        As given to `anscombe`.
    kind
        Which inverse; the algebraic one for values that are still noisy.

    Returns
    -------
    ndarray
        float32, in counts; the unbiased and the asymptotic one not below the offset.

    Raises
    ------
    ValueError
        If the gain is not positive, or the readout noise negative.

    References
    ----------
    M. Makitalo and A. Foi, IEEE Trans. Image Process. 22, 91 (2013), closed form.
    """
    noise = np.float32(_noise_in_electrons(gain, readout_std) ** 2)
    d = np.asarray(stabilized, np.float32)
    if kind is Inverse.ALGEBRAIC:
        electrons = d * d / 4 - np.float32(3 / 8) - noise
    elif kind is Inverse.ASYMPTOTIC:
        electrons = np.maximum(d * d / 4 - np.float32(1 / 8) - noise, 0)
    else:
        # Below the value of no electron the series in 1 / d runs away.
        inverse = 1 / np.maximum(d, _SMALLEST)
        root = np.sqrt(np.float32(1.5))
        series = root / 4 + inverse * (-11 / 8 + inverse * (5 / 8 * root))
        electrons = d * d / 4 + inverse * series - np.float32(1 / 8) - noise
        electrons = np.maximum(electrons, 0)
    counts: ndarray = electrons * np.float32(gain) + np.float32(offset)
    return counts.astype(np.float32, copy=False)


def _noise_in_electrons(gain: float, readout_std: float) -> float:
    if not gain > 0:
        raise ValueError(
            f"expected a gain above 0 counts per electron, got {gain:g}; measure it"
        )
    if not readout_std >= 0:
        raise ValueError(
            f"expected a readout noise of 0 counts or more, got {readout_std:g}"
        )
    return readout_std / gain
