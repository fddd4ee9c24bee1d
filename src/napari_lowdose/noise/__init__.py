"""What a low-dose microscope does to expected counts, and what counts tell of it."""

from napari_lowdose.noise.anscombe import Inverse, anscombe, inverse_anscombe
from napari_lowdose.noise.compose import (
    stage_of_field,
    with_stage_settings,
    with_stages,
)
from napari_lowdose.noise.description import describe
from napari_lowdose.noise.detectors import DETECTORS, SUMMARIES
from napari_lowdose.noise.dose import electrons_of_dose_rate, electrons_per_pixel
from napari_lowdose.noise.estimate import measure_noise
from napari_lowdose.noise.evening import (
    INDEPENDENT,
    SharedNoise,
    evened,
    given_back,
)
from napari_lowdose.noise.level import noise_share
from napari_lowdose.noise.like import recipe_like
from napari_lowdose.noise.measurement import (
    Measured,
    NoiseMeasurement,
    PhotonTransfer,
    Source,
)
from napari_lowdose.noise.recipe import Noise, add_noise
from napari_lowdose.noise.recipe_file import read_recipe, write_recipe
from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages import STAGES, Poisson, Readout
from napari_lowdose.noise.thinning import looks_counted, thin
from napari_lowdose.noise.unit_notes import TRAINED_DOSE
from napari_lowdose.noise.units import NoiseUnits
from napari_lowdose.noise.units_reading import (
    Reading,
    noise_units_of,
    read_evened,
    read_noise_units,
)

__all__ = [
    "DETECTORS",
    "INDEPENDENT",
    "STAGES",
    "SUMMARIES",
    "TRAINED_DOSE",
    "Inverse",
    "Measured",
    "Noise",
    "NoiseMeasurement",
    "NoiseUnits",
    "PhotonTransfer",
    "Poisson",
    "Reading",
    "Readout",
    "SharedNoise",
    "Source",
    "Stage",
    "add_noise",
    "anscombe",
    "describe",
    "electrons_of_dose_rate",
    "electrons_per_pixel",
    "evened",
    "given_back",
    "inverse_anscombe",
    "looks_counted",
    "measure_noise",
    "noise_share",
    "noise_units_of",
    "read_evened",
    "read_noise_units",
    "read_recipe",
    "recipe_like",
    "stage_of_field",
    "thin",
    "with_stage_settings",
    "with_stages",
    "write_recipe",
]
