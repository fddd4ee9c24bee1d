"""Learn from counts alone: predict one part of the electrons from the other."""

from __future__ import annotations

import numpy as np

from napari_lowdose.noise import NoiseMeasurement, Source, thin
from napari_lowdose.objectives.objective import Batch, Patches
from napari_lowdose.objectives.verdict import Fit, Verdict

_FRACTIONS = (0.5, 0.9)
_READABLE = 0.3  # readout noise, in quanta, that rounding to whole quanta undoes
_TELLING = 0.1  # half of an interval of the gain, over the gain


def fill_thinning(patches: Patches, rng: np.random.Generator) -> Batch:
    """Split the electrons of Poisson counts into an input and a target.

    Both parts are rescaled to full dose. They are independent given the truth, so the
    best prediction of the target is the truth (Noise2Noise). Each patch is split at
    its own fraction, between one half and nine tenths, to come near full dose.

    References
    ----------
    J. Lehtinen et al., Noise2Noise, ICML 2018; binomial thinning of Poisson counts.
    """
    fraction = rng.uniform(*_FRACTIONS, (len(patches.noisy), 1, 1))
    first, second = thin(
        patches.noisy, fraction, gain=patches.gain, offset=patches.offset, rng=rng
    )
    return Batch(
        patches.normalized(first / fraction * patches.gain + patches.offset),
        patches.normalized(second / (1 - fraction) * patches.gain + patches.offset),
    )


def judge_thinning(measurement: NoiseMeasurement) -> Verdict:
    """Suit independent counts of known gain and offset.

    References
    ----------
    Algorithm notes, sections 19 and 32.
    """
    gain, readout = measurement.gain, measurement.readout_std
    quanta = readout.value / gain.value
    if measurement.correlated:
        return Verdict(
            Fit.AVOID,
            "neighbouring pixels share noise, so the parts of a split would share it "
            "too",
        )
    if measurement.counting:
        return Verdict(
            Fit.SUITS, "whole quanta can be split into two independent movies"
        )
    if gain.high - gain.low > 2 * _TELLING * gain.value:
        return Verdict(
            Fit.AVOID, "the gain is not known, so quanta cannot be told; record flats"
        )
    if quanta > _READABLE:
        return Verdict(
            Fit.AVOID,
            f"the readout noise of {quanta:.2g} quanta hides single quanta; above 0.3 "
            "they cannot be split",
        )
    if measurement.offset.source is Source.ASSUMED:
        return Verdict(
            Fit.CAREFUL, "it needs the true offset, which was assumed; record a dark"
        )
    return Verdict(
        Fit.CAREFUL,
        f"set gain {gain.value:.3g} and offset {measurement.offset.value:.3g}; the "
        f"readout noise of {quanta:.2g} quanta is rounded away",
    )
