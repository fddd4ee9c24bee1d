"""From what was measured to a recipe that simulates it."""

from __future__ import annotations

from napari_lowdose.noise.measurement import NoiseMeasurement
from napari_lowdose.noise.recipe import Noise
from napari_lowdose.noise.stages import Poisson, Readout


def recipe_like(measurement: NoiseMeasurement) -> Noise:
    """Make a recipe of the dose and the detector of a stack.

    It has the counting and the readout; what is correlated, stuck or saturated in the
    stack is not in it. Numbers are rounded to four digits.
    """
    gain, offset, std, dose = (
        float(f"{number.value:.4g}")
        for number in (
            measurement.gain,
            measurement.offset,
            measurement.readout_std,
            measurement.dose,
        )
    )
    plain = measurement.counting and (gain, offset) == (1.0, 0.0)
    readout = Readout(gain=gain, offset=offset, readout_std=std)
    return Noise(
        dose=max(dose, 0.0),
        stages=(Poisson(),) if plain else (Poisson(), readout),
    )
