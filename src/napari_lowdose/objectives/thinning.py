"""Learn from counts alone: predict one part of the electrons from the other."""

from __future__ import annotations

import numpy as np

from napari_lowdose.noise import NoiseMeasurement, Source, thin
from napari_lowdose.objectives.objective import Batch, Patches
from napari_lowdose.objectives.verdict import NOT_TOLD, Fit, Verdict

_FRACTIONS = (0.5, 0.9)
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
        patches.noisy,
        fraction,
        gain=patches.gain,
        offset=patches.offset,
        readout_std=patches.readout_std,
        rng=rng,
    )
    return Batch(
        patches.normalized(first / fraction * patches.gain + patches.offset),
        patches.normalized(second / (1 - fraction) * patches.gain + patches.offset),
        input_noise=fraction[:, 0, 0] ** -0.5,
    )


def judge_thinning(measurement: NoiseMeasurement) -> Verdict:
    """Suit independent quanta of a detector that is known.

    References
    ----------
    Algorithm notes, sections 19 and 32.
    """
    gain, offset = measurement.gain, measurement.offset
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
    if not measurement.correlation_told:
        return Verdict(Fit.CAREFUL, NOT_TOLD)
    if offset.source is Source.ASSUMED:
        return Verdict(
            Fit.CAREFUL, "it needs the true offset, which was assumed; record a dark"
        )
    return Verdict(
        Fit.SUITS,
        f"once gain {gain.value:.3g}, offset {offset.value:.3g} and readout noise "
        f"{measurement.readout_std.value:.3g} are set, it can split the quanta",
    )
