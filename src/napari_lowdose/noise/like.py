"""From what was measured to a recipe that simulates it."""

from __future__ import annotations

from napari_lowdose.noise.measurement import NoiseMeasurement
from napari_lowdose.noise.recipe import Noise
from napari_lowdose.noise.stages import Poisson, Readout


def recipe_like(measurement: NoiseMeasurement) -> Noise:
    """Make a recipe of the dose and the detector of a stack.

    It has the counting and the readout; what is correlated, stuck or saturated in the
    stack is not in it.
    """
    gain, offset = measurement.gain.value, measurement.offset.value
    std = measurement.readout_std.value
    plain = measurement.counting and (gain, offset) == (1.0, 0.0)
    readout = Readout(gain=gain, offset=offset, readout_std=std)
    return Noise(
        dose=max(measurement.dose.value, 0.0),
        stages=(Poisson(),) if plain else (Poisson(), readout),
    )
