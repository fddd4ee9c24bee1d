"""A model applied to a stack: what the command line and the engine both do."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy import ndarray

from napari_lowdose.config import Denoising
from napari_lowdose.denoiser import Denoiser, Progress
from napari_lowdose.planes import dropped_sentence
from napari_lowdose.stack import Stack
from napari_lowdose.training import describe_checkpoint, load_denoiser


@dataclass(frozen=True)
class Applied:
    """What a model made of a stack.

    Parameters
    ----------
    stack
        The fused estimate, float32 counts.
    planes
        The estimate of each plane.
    notes
        Sentences the user should read.
    """

    stack: Stack
    planes: Mapping[str, Stack]
    notes: tuple[str, ...]


def model_for(
    path: str | os.PathLike[str], noisy: Stack, denoising: Denoising
) -> tuple[Denoiser, tuple[str, ...]]:
    """Read a model for a stack, keeping the planes that suit both.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged or of another program.
    UnusableStack
        If the stack has no contrast or values that are not finite.
    """
    denoiser, notes = load_denoiser(path, noisy.read(), denoising.compute)
    limited = denoiser.limited_to(denoising, noisy.shape[0])
    asked = [plane for plane in denoising.planes if plane in denoiser.planes]
    dropped = dropped_sentence(asked, limited.planes)
    return limited, (*notes, *((dropped,) if dropped else ()))


def apply_model(
    path: str | os.PathLike[str], noisy: Stack, denoising: Denoising
) -> Generator[Progress, None, Applied]:
    """Denoise a stack with a model file, telling the progress."""
    denoiser, notes = model_for(path, noisy, denoising)
    estimates = yield from denoiser.estimating(noisy.read())
    step = {
        "step": "denoise",
        "planes": [str(plane) for plane in denoiser.planes],
        "fusion": str(denoiser.fusion),
        **model_step(path),
    }

    def result(name: str, estimate: ndarray) -> Stack:
        return noisy.with_data(estimate, name, {**step, "estimate": name})

    return Applied(
        result(
            "fused" if len(estimates) > 1 else str(denoiser.planes[0]),
            denoiser.fuse(estimates),
        ),
        {str(plane): result(plane, estimate) for plane, estimate in estimates.items()},
        notes,
    )


def model_step(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Record which model was used, and how it was trained."""
    return {
        "model": Path(path).name,
        "training": describe_checkpoint(path)["training"],
    }
