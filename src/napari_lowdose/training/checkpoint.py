"""Model files: safetensors for the numbers, JSON in their header for the rest.

Reading one runs no code. Writing one replaces the old file only when the new is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import safetensors.torch
from jaxtyping import Real
from numpy import ndarray
from pydantic import ValidationError
from torch import Tensor

from napari_lowdose.config import Compute, Training
from napari_lowdose.denoiser import Denoiser
from napari_lowdose.errors import CheckpointMismatch
from napari_lowdose.io.atomic import replacing
from napari_lowdose.networks import Look
from napari_lowdose.noise import noise_share
from napari_lowdose.normalization import Normalizer
from napari_lowdose.schema import Config
from napari_lowdose.stack import stamped
from napari_lowdose.training.header import Header
from napari_lowdose.training.run import (
    TrainingRun,
    Weights,
    copied,
    new_network,
    plane_run,
)

PathLike = str | os.PathLike[str]

KEY = "napari-lowdose"
_BEST = "/best/"  # in the names of the weights to denoise with
_LARGEST_RATIO = 1.5  # between the noise shares of training and use


def save_run(run: TrainingRun, path: PathLike) -> Path:
    """Write a training with all that is needed to continue it bit for bit.

    Raises
    ------
    UnwritableFile
        If the file could not be written; an older file at the place stays whole.
    """
    tensors: dict[str, Tensor] = {}
    for plane, state in run.planes.items():
        parts: dict[str, Weights] = {
            "best": state.best_weights,
            "last": state.network.state_dict(),
        }
        for number, entry in state.optimizer.state_dict()["state"].items():
            parts[f"adam/{number}"] = entry
        for part, weights in parts.items():
            for name, value in copied(weights).items():
                tensors[f"{plane}/{part}/{name}"] = value
    header = Header(
        training=run.training,
        planes=tuple(run.planes),
        epoch=run.epoch,
        mean=run.normalizer.mean,
        std=run.normalizer.std,
        noise_share=run.noise_share,
        best_loss={
            plane: state.best_loss if state.best else None
            for plane, state in run.planes.items()
        },
        covariance=() if run.covariance is None else _rows(run.covariance),
        scaler={p: state.scaler.state_dict() for p, state in run.planes.items()},
        random_state=dict(run.rng.bit_generator.state),
        written_by=stamped({}),
    )
    content = safetensors.torch.save(tensors, {KEY: header.model_dump_json()})
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def load_run(path: PathLike, training: Training | None = None) -> TrainingRun:
    """Read a training to continue it.

    Parameters
    ----------
    path
        A model file.
    training
        New settings, for more epochs say; the network's shape, the planes and the
        objective stay those of the file.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged, of another program, of another network, or has
        had all the epochs that are asked for.
    """
    header, tensors = _read(path)
    settings = header.training
    if training is not None:
        if training.network != settings.network:
            raise CheckpointMismatch(
                f"{Path(path).name} holds networks of {settings.network}, but "
                f"{training.network} were asked for; train a new model instead"
            )
        if training.epochs <= header.epoch:
            raise CheckpointMismatch(
                f"{Path(path).name} has had {header.epoch} epochs already; ask for "
                "more epochs to continue, or train a new model"
            )
        settings = training.model_copy(update={"objective": settings.objective})
    run = TrainingRun(
        settings,
        Normalizer(header.mean, header.std),
        header.noise_share,
        {},
        _generator(header.random_state),
        header.epoch,
        header.covariance_array,
    )
    for plane in header.planes:
        state = plane_run(new_network(settings.network), settings)
        own = _below(tensors, f"{plane}/")
        with sensible(path):
            state.network.load_state_dict(_below(own, "last/"))
            state.optimizer.load_state_dict(_adam_state(state.optimizer, own))
            state.scaler.load_state_dict(dict(header.scaler[plane]))
        loss = header.best_loss[plane]
        if loss is not None:
            state.best_loss, state.best = loss, _below(own, "best/")
        run.planes[plane] = state
    return run


def load_denoiser(
    path: PathLike, stack: Real[ndarray, "t y x"], compute: Compute | None = None
) -> tuple[Denoiser, tuple[str, ...]]:
    """Read a model and fit its normalization to the stack at hand.

    Parameters
    ----------
    path
        A model file.
    stack
        The counts to denoise.
    compute
        Device, precision and threads; by default the fastest there are.

    Returns
    -------
    denoiser, warnings
        One sentence for each way in which the stack is unlike what the model was
        trained on.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged or of another program.
    """
    header, tensors = _read(path, _BEST)
    look = {}
    for plane in header.planes:
        network = new_network(header.training.network)
        with sensible(path):
            network.load_state_dict(_below(tensors, f"{plane}/best/"))
        look[plane] = network
    denoiser = Denoiser(
        Normalizer.fit(stack),
        (Look(look),),
        covariance=header.covariance_array,
        compute=compute or Compute(),
    )
    return denoiser, _unlike(header.noise_share, noise_share(stack))


def describe_checkpoint(path: PathLike) -> dict[str, Any]:
    """Tell what a model file holds, without its tensors.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged or of another program.
    """
    header, tensors = _read(path, _BEST)
    content = header.model_dump(mode="json", exclude={"random_state", "scaler"})
    content["n_weights"] = sum(tensor.numel() for tensor in tensors.values())
    return content


def _unlike(trained: float, found: float) -> tuple[str, ...]:
    """Say when a stack is much noisier or cleaner than the training was."""
    if 1 / _LARGEST_RATIO <= found / max(trained, 1e-12) <= _LARGEST_RATIO:
        return ()
    return (
        f"noise makes up {found:.0%} of this stack's variation, but {trained:.0%} of "
        "what the model was trained on: expect artefacts, or train on this stack",
    )


class sensible:
    """Turn torch's complaints about missing or misshapen tensors into one sentence."""

    def __init__(self, path: PathLike) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, RuntimeError | KeyError | ValueError | TypeError):
            raise CheckpointMismatch(
                f"{Path(self.path).name} is damaged: its tensors do not fit the "
                "network it describes; use another copy of the model"
            ) from error


def _read(path: PathLike, only: str = "") -> tuple[Header, dict[str, Tensor]]:
    return read_model(path, Header, only)


H = TypeVar("H", bound=Config)


def read_model(
    path: PathLike, header: type[H], only: str = ""
) -> tuple[H, dict[str, Tensor]]:
    """Read a model file, or of its tensors those with `only` in their names.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged, of another program or another kind of model.
    """
    name = Path(path).name
    if not Path(path).is_file():
        raise CheckpointMismatch(f"there is no model file {os.fspath(path)!r}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = [key for key in file.keys() if only in key]
            tensors = {key: file.get_tensor(key) for key in names}
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointMismatch(
            f"{name} is damaged or not a model of this program; use another copy, or "
            "train a new model"
        ) from error
    try:
        return header.model_validate_json(metadata[KEY]), tensors
    except KeyError:
        raise CheckpointMismatch(
            f"{name} is a safetensors file of another program; choose a model that "
            "was trained here"
        ) from None
    except ValidationError as error:
        raise CheckpointMismatch(
            f"{name} has a header this version cannot read; train a new model"
        ) from error


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _adam_state(optimizer: Any, tensors: Mapping[str, Tensor]) -> dict[str, Any]:  # noqa: ANN401
    """Put the optimiser's tensors where torch expects them."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _below(tensors, "adam/").items():
        number, entry = name.split("/")
        state.setdefault(int(number), {})[entry] = tensor
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}


def _rows(matrix: ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in matrix)


def _generator(state: Mapping[str, Any]) -> np.random.Generator:
    generator = np.random.default_rng()
    generator.bit_generator.state = json.loads(json.dumps(state))
    return generator
