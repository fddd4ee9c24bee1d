"""Learn from the truth."""

from __future__ import annotations

import numpy as np

from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.objectives.objective import Batch, Patches
from napari_lowdose.objectives.verdict import Fit, Verdict


def fill_supervised(patches: Patches, rng: np.random.Generator) -> Batch:
    """Let the network predict the truth from the noisy patch.

    Raises
    ------
    ValueError
        If the patches come without truth.

    References
    ----------
    Tri-directional denoising of time-series images, section 2.5.
    """
    if patches.truth is None:
        raise ValueError("supervised training needs the truth of each noisy stack")
    return Batch(patches.normalized(patches.noisy), patches.normalized(patches.truth))


def judge_supervised(measurement: NoiseMeasurement) -> Verdict:
    """Suit all noise that a simulation can copy."""
    if measurement.correlated or measurement.lag_shared:
        return Verdict(
            Fit.CAREFUL,
            "the simulated noise must share as much between neighbours as this does",
        )
    return Verdict(
        Fit.SUITS, "any noise will do, where the simulated noise is like this one"
    )
