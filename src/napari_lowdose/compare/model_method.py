"""A model as one of those compared: each direction alone, and all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.compare.contest import Contest
from napari_lowdose.compare.cost import available_bytes, measured
from napari_lowdose.compare.fingerprint import sha256_of_file
from napari_lowdose.compare.result import Kind, Result
from napari_lowdose.config import Comparison, Denoising, Plane
from napari_lowdose.shipped import model_path, shipped_model
from napari_lowdose.stack import Stack

# Stacks of float32 that a model holds at once, beside one for each plane to keep.
_STACKS = 3


@runtime_checkable
class Seen(Protocol):
    """What a denoiser made of a stack."""

    @property
    def fused(self) -> ndarray:
        """The one estimate, (t, y, x) counts."""

    @property
    def planes(self) -> Mapping[Plane, ndarray]:
        """The estimates of the planes, each on its own."""


@runtime_checkable
class Looks(Protocol):
    """What a denoiser must be able to do; `napari_lowdose.denoiser.Denoiser` can."""

    def denoised(self, stack: ndarray, /) -> Seen:
        """Denoise (t, y, x) counts, also by each plane on its own."""

    def __call__(self, stack: ndarray, /) -> ndarray:
        """Denoise (t, y, x) counts."""


@dataclass(frozen=True)
class OpenedModel:
    """A model fitted to a stack.

    Parameters
    ----------
    denoiser
        Limited to the planes that are wanted.
    notes
        Sentences for whatever makes the stack unlike what the model was trained on.
    step
        What a recipe tells about it: planes, fusion, and how it was trained.
    """

    denoiser: Looks
    notes: tuple[str, ...] = ()
    step: Mapping[str, Any] = field(default_factory=dict)


OpenModel = Callable[[str, Stack, Denoising], OpenedModel]
"""Reads a model for a stack; `napari_lowdose.applying.open_model` does."""


@dataclass(frozen=True)
class ModelMethod:
    """A model.

    Parameters
    ----------
    name
        What the table calls the fused estimate.
    path
        Name of a base model, or a model file.
    open
        Reads it, once for each stack that it denoises.
    prefix
        Before the name of each plane; None: the name and a space.
    """

    name: str
    path: str
    open: OpenModel
    prefix: str | None = None
    kind: Kind = Kind.MODEL

    def why_not(self, noisy: Stack) -> str:
        """Say why it cannot run on a stack; empty if it can."""
        if not model_path(self.path).is_file():
            return f"there is no model file {self.path!r}; choose another model"
        needed = 4 * int(np.prod(noisy.shape)) * (_STACKS + len(Plane) + 1)
        left = available_bytes()
        if left is not None and needed > left:
            return (
                f"{self.name} needs about {needed / 1e9:.1f} GB of memory for this "
                f"stack, and {left / 1e9:.1f} GB are free; crop the stack or close "
                "other programs"
            )
        return ""

    def alone(self, comparison: Comparison) -> Comparison:
        """Give the comparison that asks for it only."""
        shipped = shipped_model(self.path)
        return comparison.model_copy(
            update={
                "baselines": (),
                "models": (shipped.name if shipped else Path(self.path).name,),
                "estimates": (),
            }
        )

    def hashes(self) -> Mapping[str, str]:
        """Tell its file from all others."""
        return {"model_sha256": sha256_of_file(model_path(self.path))}

    def given(self, noisy: Stack) -> None:
        """Nothing: its estimate must be made."""

    def results(self, contest: Contest) -> Iterator[Result]:
        """Denoise the stack, and score what came out; fused last."""
        how = contest.comparison
        opened = self.open(self.path, contest.noisy, how.denoising)
        seen, cost = measured(
            lambda: _estimates(opened.denoiser, contest.counts, how.each_plane)
        )
        again: Mapping[str, ndarray] = {}
        if contest.thinned_stack is not None:
            # Fitted anew, as to any other stack: thinned counts are noisier.
            other = self.open(self.path, contest.thinned_stack, how.denoising)
            thinned = contest.thinned_stack.read()
            again = _estimates(other.denoiser, thinned, how.each_plane)
        planes = [part for part in seen if part]
        provenance = {**self.hashes(), **contest.provenance(self.alone(how))}
        for part in [*seen]:
            estimate = seen.pop(part)
            name = self._named(part)
            step = {"step": "denoise", **opened.step, "estimate": part or "fused"}
            stack = contest.noisy.with_data(estimate, name, {**step, **provenance})
            result = Result(
                name,
                stack,
                {},
                cost.seconds / (len(planes) if part else 1),
                {"planes": part} if part else _told(opened.step),
                memory_mb=cost.memory_mb,
                kind=self.kind,
                notes=() if part else opened.notes,
            )
            yield contest.judged(result, again.get(part))

    def _named(self, plane: str) -> str:
        if not plane:
            return self.name
        return (f"{self.name} " if self.prefix is None else self.prefix) + plane


def _estimates(
    denoiser: Looks, counts: ndarray, each_plane: bool
) -> dict[str, Float[ndarray, "t y x"]]:
    """Denoise; the fused estimate, last, has no name."""
    if not each_plane:
        return {"": denoiser(counts)}
    seen = denoiser.denoised(counts)
    planes = seen.planes if len(seen.planes) > 1 else {}
    return {**{str(plane): one for plane, one in planes.items()}, "": seen.fused}


def _told(step: Mapping[str, Any]) -> Mapping[str, float | str]:
    """Say what of a model is chosen rather than trained."""
    told: dict[str, float | str] = {}
    if "planes" in step:
        told["planes"] = " ".join(step["planes"])
    if "fusion" in step and len(step["planes"]) > 1:
        told["fusion"] = str(step["fusion"])
    if step.get("both_ways"):
        told["both ways"] = "yes"
    if not step.get("put_back", True):
        told["put back"] = "no"
    if not step.get("remove_lines", True):
        told["remove lines"] = "no"
    return told
