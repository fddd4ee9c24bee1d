"""How far a denoised movie can be trusted, particle by particle."""

from napari_lowdose.trust.checks import check_pair, electrons_of, testable
from napari_lowdose.trust.detector import detector_of
from napari_lowdose.trust.inspection import Inspection, inspecting
from napari_lowdose.trust.maps import (
    background_of,
    coverage,
    coverage_constant,
    disagreement_z,
    noise_only_disagreement,
    residual,
)
from napari_lowdose.trust.null_movie import NullReport, null_movie, null_testing
from napari_lowdose.trust.null_test import NullTested, testing_on_noise
from napari_lowdose.trust.summing import summary_of

__all__ = [
    "Inspection",
    "NullReport",
    "NullTested",
    "background_of",
    "check_pair",
    "coverage",
    "coverage_constant",
    "detector_of",
    "disagreement_z",
    "electrons_of",
    "inspecting",
    "noise_only_disagreement",
    "null_movie",
    "null_testing",
    "residual",
    "summary_of",
    "testable",
    "testing_on_noise",
]
