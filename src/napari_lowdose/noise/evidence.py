"""What a stack shows of its detector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.noise.measurement import PhotonTransfer
from napari_lowdose.noise.transfer import Moments


@dataclass(frozen=True)
class Evidence:
    """What was gathered from a stack.

    Parameters
    ----------
    values
        Counts of many pixels, for their histogram.
    step
        Between the values of a digitised stack; 0 for continuous ones.
    mean, mean_std
        Of the whole stack, and its standard error, in counts.
    white
        Whether pixels share no noise with their neighbours.
    many
        Whether there are frames enough for skewness: three.
    blurred
        Whether pixels share noise for certain.
    within
        Reads another photon-transfer curve off neighbouring pixels, not frames.
    """

    moments: Moments
    values: Real[ndarray, " n"]
    step: float
    mean: float
    mean_std: float
    white: bool
    many: bool
    blurred: bool
    within: Callable[[], PhotonTransfer | None]
