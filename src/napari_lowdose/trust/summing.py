"""An inspection in a few numbers, with truth or without."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from napari_lowdose.particles import (
    Truth,
    Verdict,
    score_detections,
    summary,
)
from napari_lowdose.trust.inspection import FUSED, Inspection


def summary_of(
    inspection: Inspection, truth: pd.DataFrame | None = None
) -> Mapping[str, float]:
    """Sum up what was found, and how much of it is right where the truth is known.

    Parameters
    ----------
    inspection
        What `inspecting` has found.
    truth
        The true particles, as in `napari_lowdose.specimens.Scene.particles`.

    References
    ----------
    Notes on algorithms, sections 26.2 and 27.
    """
    estimate = inspection.estimates[FUSED]
    courses = inspection.courses if inspection.tested else None
    found = dict(summary(inspection.particles, estimate.shape[0], courses=courses))
    if truth is None:
        return found
    shown = inspection.particles[inspection.particles["verdict"] != Verdict.MISSED]
    scored = score_detections(shown, Truth.of(truth, estimate.shape))
    trusted = score_detections(
        shown[shown["verdict"] == Verdict.SUPPORTED], Truth.of(truth, estimate.shape)
    )
    return {
        **found,
        "true_recall": scored.recall,
        "true_precision": scored.precision,
        "true_phantoms_per_frame": scored.phantoms_per_frame,
        "true_ghosts_per_frame": scored.ghosts_per_frame,
        "true_recall_of_supported": trusted.recall,
        "true_precision_of_supported": trusted.precision,
    }
