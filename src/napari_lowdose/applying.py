"""A model applied to a stack: what the command line and the engine both do."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

from napari_lowdose.base_models import describe_model, fitted, is_base, model_path
from napari_lowdose.compare import OpenedModel
from napari_lowdose.config import Denoising
from napari_lowdose.denoiser import Denoiser, Progress
from napari_lowdose.planes import dropped_sentence
from napari_lowdose.stack import Stack


@dataclass(frozen=True)
class Applied:
    """What a model made of a stack.

    Parameters
    ----------
    stack
        The fused estimate, float32 counts.
    planes
        The estimate of each plane that looked on its own, where asked for.
    disagreement
        Where these planes differ, and how much; none where there is only one.
    notes
        Sentences the user should read.
    """

    stack: Stack
    planes: Mapping[str, Stack]
    disagreement: Stack | None
    notes: tuple[str, ...]


def model_for(
    path: str | os.PathLike[str], noisy: Stack, denoising: Denoising
) -> tuple[Denoiser, tuple[str, ...]]:
    """Read a model for a stack, keeping the planes that suit both.

    Parameters
    ----------
    path
        The name of a base model, or a model file.
    noisy
        The stack that it is for.
    denoising
        The planes and the fusion that are wanted.

    Raises
    ------
    CheckpointMismatch
        If the file is missing, damaged or of another program.
    UnusableStack
        If the stack has no contrast or values that are not finite.
    """
    denoiser, notes = fitted(
        path, noisy.read(), denoising.compute, remove_lines=denoising.remove_lines
    )
    limited = denoiser.limited_to(denoising, noisy.shape[0])
    asked = [plane for plane in denoising.planes if plane in denoiser.planes]
    dropped = dropped_sentence(asked, limited.planes)
    return limited, (*notes, *((dropped,) if dropped else ()))


def open_model(
    path: str | os.PathLike[str], noisy: Stack, denoising: Denoising
) -> OpenedModel:
    """Read a model for a stack, as comparisons want it; raises like `model_for`."""
    denoiser, notes = model_for(path, noisy, denoising)
    return OpenedModel(denoiser, notes, _step(denoiser, path))


def apply_model(
    path: str | os.PathLike[str],
    noisy: Stack,
    denoising: Denoising,
    *,
    each_plane: bool = True,
) -> Generator[Progress, None, Applied]:
    """Denoise a stack with a model, telling the progress."""
    denoiser, notes = model_for(path, noisy, denoising)
    return (yield from applying(denoiser, path, noisy, notes, each_plane=each_plane))


def applying(
    denoiser: Denoiser,
    path: str | os.PathLike[str],
    noisy: Stack,
    notes: tuple[str, ...] = (),
    *,
    each_plane: bool = True,
) -> Generator[Progress, None, Applied]:
    """Denoise a stack with a model that was read for it."""
    denoised = yield from denoiser.denoising(noisy.read(), each_plane=each_plane)
    several = len(denoiser.planes) > 1
    step = {"step": "denoise", **_step(denoiser, path)}

    def result(name: str, estimate: ndarray) -> Stack:
        return noisy.with_data(estimate, name, {**step, "estimate": name})

    return Applied(
        result("fused" if several else str(denoiser.planes[0]), denoised.fused),
        {str(plane): result(plane, one) for plane, one in denoised.planes.items()},
        None
        if denoised.disagreement is None
        else result("disagreement", denoised.disagreement),
        notes,
    )


def _step(denoiser: Denoiser, path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Record how a model is applied."""
    base = is_base(model_path(path))
    lines = {"remove_lines": denoiser.removes_lines} if base else {}
    return {
        "planes": [str(plane) for plane in denoiser.planes],
        "fusion": str(denoiser.rule),
        **({"both_ways": True} if denoiser.both_ways else {}),
        **({"put_back": denoiser.puts_back} if denoiser.learned else {}),
        **lines,
        **model_step(path),
    }


def model_step(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Record which model was used, and how it was trained."""
    known = describe_model(path)
    step = {"model": model_path(path).stem, "training": known["training"]}
    extra = {key: known[key] for key in ("sha256", "fine_tuning") if known.get(key)}
    return {**step, **extra}
