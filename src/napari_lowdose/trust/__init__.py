"""How far a denoised movie can be trusted, particle by particle."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_lowdose.trust.checks import check_pair, electrons_of, testable
    from napari_lowdose.trust.detector import detector_of
    from napari_lowdose.trust.disagreement import (
        coverage,
        coverage_constant,
        disagreement_z,
        noise_only_disagreement,
    )
    from napari_lowdose.trust.inspection import Inspection, inspecting
    from napari_lowdose.trust.maps import background_of, residual
    from napari_lowdose.trust.null_movie import null_testing
    from napari_lowdose.trust.null_report import NullReport
    from napari_lowdose.trust.null_test import NullTested, asking_noise
    from napari_lowdose.trust.summing import summary_of

# Loaded when asked for: the widgets need some of it, and never torch.
_HOME = {
    "Inspection": "inspection",
    "NullReport": "null_report",
    "NullTested": "null_test",
    "background_of": "maps",
    "check_pair": "checks",
    "coverage": "disagreement",
    "coverage_constant": "disagreement",
    "detector_of": "detector",
    "disagreement_z": "disagreement",
    "electrons_of": "checks",
    "inspecting": "inspection",
    "noise_only_disagreement": "disagreement",
    "null_testing": "null_movie",
    "residual": "maps",
    "summary_of": "summing",
    "testable": "checks",
    "asking_noise": "null_test",
}
__all__ = [
    "Inspection",
    "NullReport",
    "NullTested",
    "asking_noise",
    "background_of",
    "check_pair",
    "coverage",
    "coverage_constant",
    "detector_of",
    "disagreement_z",
    "electrons_of",
    "inspecting",
    "noise_only_disagreement",
    "null_testing",
    "residual",
    "summary_of",
    "testable",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
