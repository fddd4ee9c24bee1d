"""Trust in particles, calibrated and measured on simulated movies."""

from napari_lowdose.benchmarks.trust.calibrating import calibrating, write_calibrations
from napari_lowdose.benchmarks.trust.fitting import (
    fit_calibrations,
    ridge_logistic,
    tempered,
)
from napari_lowdose.benchmarks.trust.gathering import Kind, evidence_in, kinds
from napari_lowdose.benchmarks.trust.measure import (
    area_under_curve,
    measure_trust,
)
from napari_lowdose.benchmarks.trust.movies import (
    CountedMovie,
    calibration_movies,
    counted_movie,
    unseen_movies,
)
from napari_lowdose.benchmarks.trust.reliability import reliability

__all__ = [
    "CountedMovie",
    "Kind",
    "area_under_curve",
    "calibrating",
    "calibration_movies",
    "counted_movie",
    "evidence_in",
    "fit_calibrations",
    "kinds",
    "measure_trust",
    "reliability",
    "ridge_logistic",
    "tempered",
    "unseen_movies",
    "write_calibrations",
]
