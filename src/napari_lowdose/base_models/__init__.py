"""Models that are good the moment a stack is dropped, shipped with the package.

To add one: train it with ``lowdose train-base``, put its file and its card here, add
its line into ``shipped.py``. The panels and the command line take it from there.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.base_models.file import (
    BaseFile,
    describe_base,
    is_base,
    load_base,
    save_base,
)
from napari_lowdose.base_models.prepared import Prepared
from napari_lowdose.config import Compute
from napari_lowdose.denoiser import Denoiser
from napari_lowdose.noise import INDEPENDENT, NoiseUnits, SharedNoise
from napari_lowdose.shipped import BASE_MODELS, DEFAULT, BaseModel, model_path
from napari_lowdose.training import describe_checkpoint, load_denoiser

PathLike = str | os.PathLike[str]


def fitted(
    name: PathLike,
    stack: Real[ndarray, "t y x"],
    compute: Compute | None = None,
    *,
    remove_lines: bool = True,
) -> tuple[Denoiser, tuple[str, ...]]:
    """Read a model and fit it to the stack at hand.

    Parameters
    ----------
    name
        Of a base model, or of any model file.
    stack
        The counts to denoise, of shape (t, y, x).
    compute
        Device, precision and threads; by default the fastest there are.
    remove_lines
        Whether a base model takes off noise that rows or columns of frames share.

    Returns
    -------
    denoiser, notes
        Sentences for whatever makes the stack unlike what the model was trained on.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged or of another program.
    UnusableStack
        If the stack has no contrast or values that are not finite.
    """
    path = model_path(name)
    if not is_base(path):
        return load_denoiser(path, stack, compute)
    prepared = Prepared.of(stack, remove_lines=remove_lines)
    reading = prepared.reading
    denoiser = denoiser_of(load_base(path), reading.units, compute, reading.shared)
    return replace(denoiser, removes_lines=remove_lines), prepared.notes


def denoiser_of(
    base: BaseFile,
    units: NoiseUnits,
    compute: Compute | None = None,
    shared: SharedNoise = INDEPENDENT,
) -> Denoiser:
    """Make a denoiser of a base model for a stack whose noise is known.

    Parameters
    ----------
    base
        The model.
    units
        Of the noise; where voxels share some, of the stack without that.
    compute
        Device, precision and threads.
    shared
        How they do.
    """
    return Denoiser(
        units,
        base.network.looks,
        covariance=base.covariance,
        keeps_mean=True,
        puts_back=True,
        removes_lines=True,
        shared=shared,
        compute=compute or Compute(),
    )


def describe_model(name: PathLike) -> dict[str, Any]:
    """Tell what a model file holds, without its tensors."""
    path = model_path(name)
    return describe_base(path) if is_base(path) else describe_checkpoint(path)


__all__ = [
    "BASE_MODELS",
    "DEFAULT",
    "BaseFile",
    "BaseModel",
    "denoiser_of",
    "describe_base",
    "describe_model",
    "fitted",
    "is_base",
    "load_base",
    "model_path",
    "save_base",
]
