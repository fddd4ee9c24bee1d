"""What a model file says about itself, beside its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Plane, Training
from napari_lowdose.schema import Config


class Header(Config):
    """What a model file says about itself, beside its tensors."""

    format: Literal["napari-lowdose model"] = "napari-lowdose model"
    """Tells a model of this program from other safetensors files."""

    version: Literal[1] = 1
    """Layout of the file."""

    training: Training
    """The settings, with the objective that was chosen."""

    planes: tuple[Plane, ...]
    """The planes that have a network."""

    epoch: int
    """Number of finished epochs."""

    mean: float
    """Mean of the training stack, in counts."""

    std: float
    """Standard deviation of the training stack, in counts."""

    noise_share: float
    """Share of the training stack's deviation that is noise, from 0 to 1."""

    best_loss: Mapping[Plane, float | None]
    """Best validation loss by plane; none before the first validation."""

    covariance: tuple[tuple[float, ...], ...] = ()
    """Of the planes' errors on the held-out part, normalized; empty: not measured."""

    scaler: Mapping[Plane, Mapping[str, Any]]
    """State of the loss scaling by plane."""

    random_state: Mapping[str, Any]
    """State of the random generator."""

    written_by: Mapping[str, Any]
    """Versions of the program."""

    @property
    def covariance_array(self) -> Float[ndarray, "n n"] | None:
        """The covariance as an array."""
        return np.array(self.covariance) if self.covariance else None
