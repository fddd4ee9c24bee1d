"""What a low-dose microscope does to expected counts, and what counts tell of it."""

from napari_lowdose.noise.level import noise_share
from napari_lowdose.noise.recipe import Noise, add_noise
from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages import STAGES, Poisson, Readout
from napari_lowdose.noise.thinning import looks_counted, thin

__all__ = [
    "STAGES",
    "Noise",
    "Poisson",
    "Readout",
    "Stage",
    "add_noise",
    "looks_counted",
    "noise_share",
    "thin",
]
