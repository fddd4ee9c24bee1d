"""Particles in a movie: finding them, and telling true ones from phantoms."""

from napari_lowdose.particles.apertures import evidence_of, local_intensity
from napari_lowdose.particles.continuity import (
    Appearances,
    Continuity,
    appearances,
    continuity,
)
from napari_lowdose.particles.detection import (
    SIGMAS_PX,
    Polarity,
    detect,
    log_response,
)
from napari_lowdose.particles.evidence import expected_evidence, familywise_threshold
from napari_lowdose.particles.phantoms import (
    DETECTABLE,
    PhantomScore,
    Truth,
    assign,
    at_recall,
    score_detections,
)

__all__ = [
    "DETECTABLE",
    "SIGMAS_PX",
    "Appearances",
    "Continuity",
    "PhantomScore",
    "Polarity",
    "Truth",
    "appearances",
    "assign",
    "at_recall",
    "continuity",
    "detect",
    "evidence_of",
    "expected_evidence",
    "familywise_threshold",
    "local_intensity",
    "log_response",
    "score_detections",
]
