"""The detector of a stack: as the user tells it, or as the stack does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.config import Detector
from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import Measured, NoiseMeasurement, Source, measure_noise


def detector_of(
    counts: Real[ndarray, "t y x"], detector: Detector
) -> tuple[NoiseMeasurement | None, tuple[str, ...]]:
    """Read the noise off a stack; what the user tells stands.

    Parameters
    ----------
    counts
        As recorded, of shape (t, y, x).
    detector
        What is known; a gain of zero: nothing.

    Returns
    -------
    measurement
        None where the stack is too small to tell.
    notes
        The reason, then.
    """
    told = bool(detector.gain)
    try:
        measurement = measure_noise(counts, offset=detector.offset if told else None)
    except UnusableStack as error:
        return None, (f"the noise cannot be read off the stack: {error}",)
    if not told:
        return measurement, ()
    dose = (float(counts.mean(dtype=np.float64)) - detector.offset) / detector.gain
    return replace(
        measurement,
        gain=_given(detector.gain),
        offset=_given(detector.offset),
        readout_std=_given(detector.readout_std),
        dose=_given(dose),
    ), ()


def _given(value: float) -> Measured:
    return Measured(value, value, value, Source.GIVEN)
