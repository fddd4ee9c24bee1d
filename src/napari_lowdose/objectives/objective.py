"""What goes into an objective and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real
from numpy import ndarray

from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.objectives.verdict import Verdict


@dataclass(frozen=True)
class Patches:
    """Crops of slices, as recorded.

    Parameters
    ----------
    noisy, truth
        Counts; the truth may be absent.
    mean, std
        Each patch's normalization, that of its whole stack, in counts.
    gain, offset, readout_std
        Counts per electron, counts in the dark, and readout noise in counts.
    """

    noisy: Real[ndarray, "n h w"]
    truth: Real[ndarray, "n h w"] | None
    mean: Float[ndarray, "n 1 1"]
    std: Float[ndarray, "n 1 1"]
    gain: float = 1.0
    offset: float = 0.0
    readout_std: float = 0.0

    def normalized(self, counts: Real[ndarray, "n h w"]) -> Float[ndarray, "n h w"]:
        """Map counts to what networks see."""
        signal: ndarray = (counts - self.mean) / self.std
        return signal.astype(np.float32)


@dataclass(frozen=True)
class Batch:
    """What one training step sees: normalized inputs and targets.

    Parameters
    ----------
    input, target
        Normalized; for cubes with a time axis more.
    mask
        The loss counts the pixels where it is true; none: all.
    input_noise
        Deviation of the input's noise over that of the patches; 1 where it is the same.
    """

    input: Float[ndarray, "n *dims h w"]
    target: Float[ndarray, "n *dims h w"]
    mask: Bool[ndarray, "n *dims h w"] | None = None
    input_noise: Float[ndarray, " n"] | float = 1.0


@dataclass(frozen=True)
class Objective:
    """A way of training.

    Parameters
    ----------
    fill
        Turns patches into a batch; all chance comes from the generator it is given.
    needs_truth
        Whether patches must come with the truth.
    summary
        What it does and for which data, in one clause.
    verdict
        Judges from the measured noise of a stack whether it suits.
    """

    fill: Callable[[Patches, np.random.Generator], Batch]
    needs_truth: bool
    summary: str
    verdict: Callable[[NoiseMeasurement], Verdict]
