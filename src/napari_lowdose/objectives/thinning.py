"""Learn from counts alone: predict one part of the electrons from the other."""

from __future__ import annotations

import numpy as np

from napari_lowdose.noise import thin
from napari_lowdose.objectives.objective import Batch, Patches

_FRACTIONS = (0.5, 0.9)


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
