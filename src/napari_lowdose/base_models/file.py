"""Files of base models: safetensors for the weights, JSON in their header."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from napari_lowdose.config import BaseTraining, FineTuning
from napari_lowdose.errors import CheckpointMismatch
from napari_lowdose.io.atomic import replacing
from napari_lowdose.networks import LooksNetwork
from napari_lowdose.schema import Config
from napari_lowdose.stack import stamped
from napari_lowdose.training import KEY, read_model, sensible

PathLike = str | os.PathLike[str]


class BaseHeader(Config):
    """What the file of a base model says about itself, beside its tensors."""

    format: Literal["napari-lowdose base model"] = "napari-lowdose base model"
    """Tells a base model from other models of this program."""

    version: Literal[1] = 1
    """Layout of the file."""

    training: BaseTraining
    """How it was trained."""

    steps: int
    """Training steps that were done."""

    covariance: tuple[tuple[float, ...], ...]
    """Of the directions' errors at validation, each alone, in units of the noise."""

    fine_tuning: FineTuning | None = None
    """How it was fitted to one microscope's stacks; none: it was not."""

    notes: Mapping[str, Any] = {}
    """What else was measured: device, time, losses."""

    written_by: Mapping[str, Any] = {}
    """Versions of the program."""


@dataclass(frozen=True)
class BaseFile:
    """A base model in memory: its networks, and what is known about them."""

    network: LooksNetwork
    header: BaseHeader

    @property
    def covariance(self) -> Float[ndarray, "n n"]:
        """Of the directions' errors at validation."""
        return np.array(self.header.covariance)

    def noted(self, **changes: Any) -> BaseFile:  # noqa: ANN401 - fields of the header
        """Give the same networks with another header."""
        return replace(self, header=self.header.model_copy(update=changes))


def save_base(base: BaseFile, path: PathLike) -> Path:
    """Write a base model.

    Raises
    ------
    UnwritableFile
        If the file could not be written; an older file at the place stays whole.
    """
    header = base.header.model_copy(update={"written_by": stamped({})})
    tensors = {
        name: value.detach().cpu().contiguous().clone()
        for name, value in base.network.state_dict().items()
    }
    content = safetensors.torch.save(tensors, {KEY: header.model_dump_json()})
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def load_base(path: PathLike) -> BaseFile:
    """Read a base model.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged or of another program.
    """
    header, tensors = read_model(path, BaseHeader)
    return BaseFile(_network(path, header, tensors), header)


def _network(
    path: PathLike, header: BaseHeader, tensors: Mapping[str, Tensor]
) -> LooksNetwork:
    network = LooksNetwork(header.training.network)
    # Files written before traits were told have no gains; fresh ones change nothing.
    fresh = {n: v for n, v in network.state_dict().items() if ".gains." in n}
    with sensible(path):
        network.load_state_dict({**fresh, **tensors})
    return network


def describe_base(path: PathLike) -> dict[str, Any]:
    """Tell what the file of a base model holds, without its tensors."""
    header, tensors = read_model(path, BaseHeader)
    content = header.model_dump(mode="json")
    content["n_weights"] = sum(tensor.numel() for tensor in tensors.values())
    content["sha256"] = sha256(Path(path).read_bytes()).hexdigest()
    return content


def is_base(path: PathLike) -> bool:
    """Tell whether a model file is that of a base model, fine-tuned or not."""
    try:
        read_model(path, BaseHeader, "nothing")
    except CheckpointMismatch:
        return False
    return True
