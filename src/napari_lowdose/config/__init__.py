"""What a user decides: one frozen schema per group of decisions.

Each field is a name, a bound, a default and a sentence. The form, its tooltip, the
command-line flag, the recipe in a result and the entry in a checkpoint come from it.
"""

from __future__ import annotations

from napari_lowdose.config.applying import (
    Comparison,
    Denoising,
    Inspecting,
    Scoring,
)
from napari_lowdose.config.choices import (
    Device,
    Fusion,
    Plane,
    Polarity,
    Precision,
    Schedule,
    Seed,
    Share,
)
from napari_lowdose.config.given import (
    Compute,
    Detector,
    Reading,
)
from napari_lowdose.config.training import (
    PRESETS,
    BaseTraining,
    FineTuning,
    LooksSettings,
    Network,
    Training,
)

__all__ = [
    "PRESETS",
    "BaseTraining",
    "Comparison",
    "Compute",
    "Denoising",
    "Detector",
    "Device",
    "FineTuning",
    "Fusion",
    "Inspecting",
    "LooksSettings",
    "Network",
    "Plane",
    "Polarity",
    "Precision",
    "Reading",
    "Schedule",
    "Scoring",
    "Seed",
    "Share",
    "Training",
]
