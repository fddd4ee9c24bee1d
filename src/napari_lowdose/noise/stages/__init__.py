"""What can happen to counts, in the order in which it happens in a microscope.

To add a step: write its file, add its line here. The form, the command line, the
recipe and its JSON take it from this mapping.
"""

from collections.abc import Mapping

from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages.afterglow import Afterglow
from napari_lowdose.noise.stages.blur import Response, Scatter
from napari_lowdose.noise.stages.defects import Defects, Spikes
from napari_lowdose.noise.stages.dose_drift import DoseDrift
from napari_lowdose.noise.stages.gaussian import Gaussian, SaltPepper
from napari_lowdose.noise.stages.line_noise import LineNoise
from napari_lowdose.noise.stages.one_pair import Equation, OnePair
from napari_lowdose.noise.stages.phase import PhaseNoise
from napari_lowdose.noise.stages.poisson import Poisson
from napari_lowdose.noise.stages.pulse_height import PulseHeight
from napari_lowdose.noise.stages.quantize import Quantize
from napari_lowdose.noise.stages.readout import Readout
from napari_lowdose.noise.stages.scan import ScanDistortion

STAGES: Mapping[str, type[Stage]] = {
    "scan": ScanDistortion,
    "dose_drift": DoseDrift,
    "scatter": Scatter,
    "poisson": Poisson,
    "one_pair": OnePair,
    "phase": PhaseNoise,
    "pulse_height": PulseHeight,
    "response": Response,
    "afterglow": Afterglow,
    "defects": Defects,
    "spikes": Spikes,
    "readout": Readout,
    "line_noise": LineNoise,
    "gaussian": Gaussian,
    "salt_pepper": SaltPepper,
    "quantize": Quantize,
}

__all__ = [
    "STAGES",
    "Afterglow",
    "Defects",
    "DoseDrift",
    "Equation",
    "Gaussian",
    "LineNoise",
    "OnePair",
    "PhaseNoise",
    "Poisson",
    "PulseHeight",
    "Quantize",
    "Readout",
    "Response",
    "SaltPepper",
    "ScanDistortion",
    "Scatter",
    "Spikes",
]
