"""Particles in a movie: finding them, and telling true ones from phantoms."""

from napari_lowdose.config import Polarity
from napari_lowdose.particles.apertures import evidence_of, local_intensity
from napari_lowdose.particles.assignment import assign
from napari_lowdose.particles.calibration import Source
from napari_lowdose.particles.continuity import (
    Appearances,
    Continuity,
    appearances,
    continuity,
)
from napari_lowdose.particles.detection import (
    N_STD,
    SIGMAS_PX,
    detect,
    detect_above,
    log_response,
    response_noise,
    response_std,
)
from napari_lowdose.particles.directions import direction_agreement, responses_at
from napari_lowdose.particles.evidence import (
    expected_evidence,
    familywise_p,
    familywise_threshold,
)
from napari_lowdose.particles.evidence_maps import evidence_map
from napari_lowdose.particles.ground import Ground
from napari_lowdose.particles.held_out import combine_p, test_in_neighbours
from napari_lowdose.particles.likelihood import (
    Amplitudes,
    fit_amplitude,
    half_chi2_p,
)
from napari_lowdose.particles.linking import GAP_FRAMES, REACH_PX, link
from napari_lowdose.particles.missing import missed
from napari_lowdose.particles.nearness import within
from napari_lowdose.particles.phantoms import (
    PhantomScore,
    at_recall,
    score_detections,
)
from napari_lowdose.particles.polarity import prevailing
from napari_lowdose.particles.presence import no_courses, presence, presence_courses
from napari_lowdose.particles.region_likelihood import (
    likelihood_map,
    region_likelihood,
)
from napari_lowdose.particles.spot_test import test_spots
from napari_lowdose.particles.support import temporal_support
from napari_lowdose.particles.suspicion import Verdict, suspicion
from napari_lowdose.particles.tallying import summary
from napari_lowdose.particles.truth import DETECTABLE, Truth

__all__ = [
    "DETECTABLE",
    "GAP_FRAMES",
    "N_STD",
    "REACH_PX",
    "SIGMAS_PX",
    "Amplitudes",
    "Appearances",
    "Continuity",
    "Ground",
    "PhantomScore",
    "Polarity",
    "Source",
    "Truth",
    "Verdict",
    "appearances",
    "assign",
    "at_recall",
    "combine_p",
    "continuity",
    "detect",
    "detect_above",
    "direction_agreement",
    "evidence_map",
    "evidence_of",
    "expected_evidence",
    "familywise_p",
    "familywise_threshold",
    "fit_amplitude",
    "half_chi2_p",
    "likelihood_map",
    "link",
    "local_intensity",
    "log_response",
    "missed",
    "no_courses",
    "presence",
    "presence_courses",
    "prevailing",
    "region_likelihood",
    "response_noise",
    "response_std",
    "responses_at",
    "score_detections",
    "summary",
    "suspicion",
    "temporal_support",
    "test_in_neighbours",
    "test_spots",
    "within",
]
