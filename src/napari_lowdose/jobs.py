"""What a long job is told: settings, and arrays as files to map into memory."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from napari_lowdose.config import (
    Comparison,
    Denoising,
    FineTuning,
    Inspecting,
    Training,
)
from napari_lowdose.schema import Config
from napari_lowdose.stack import Stack


class Task(StrEnum):
    """What the engine can be asked to do."""

    TRAIN = "train"
    DENOISE = "denoise"
    COMPARE = "compare"
    FINE_TUNE = "fine-tune"
    INSPECT = "inspect"
    NULL_TEST = "null-test"


class StackFile(Config):
    """A stack as a .npy file beside what is known about it."""

    path: str
    """The array's file."""

    name: str
    """What the user calls the stack."""

    pixel_size: tuple[float, float] | None = None
    """Edges (y, x) of a pixel, in the pixel unit."""

    pixel_unit: str = "pixel"
    """Unit of the pixel size."""

    frame_interval_s: float | None = None
    """Time from one frame to the next, in seconds."""

    recipe: tuple[Mapping[str, Any], ...] = ()
    """What was done to get here."""

    @classmethod
    def save(cls, stack: Stack, folder: Path, stem: str) -> StackFile:
        """Write a stack's array to ``folder / (stem + ".npy")``."""
        path = folder / f"{stem}.npy"
        np.save(path, stack.read())
        return cls(
            path=str(path),
            name=stack.name,
            pixel_size=stack.pixel_size,
            pixel_unit=stack.pixel_unit,
            frame_interval_s=stack.frame_interval_s,
            recipe=stack.recipe,
        )

    def open(self) -> Stack:
        """Map the array into memory."""
        content = {name: getattr(self, name) for name in type(self).model_fields}
        data = np.load(content.pop("path"), mmap_mode="r")
        return Stack(data, **content)


class Job(Config):
    """One long job for the engine.

    Training needs `noisy` (and `truth`, if there is any) and writes `model`; all others
    read `model` and leave their results in `folder`, fine-tuning its model files.
    """

    task: Task
    """What to do."""

    folder: str
    """Where results and previews go."""

    noisy: tuple[StackFile, ...]
    """The stacks to work on."""

    truth: tuple[StackFile, ...] = ()
    """The truth of each noisy stack, or nothing."""

    estimate: tuple[StackFile, ...] = ()
    """A denoised stack to inspect instead of what the model makes, or nothing; for
    comparing, results that were made elsewhere."""

    model: str = ""
    """The model file; for comparing, empty: classical methods only."""

    leave_out: tuple[str, ...] = ()
    """Methods of the comparison that need not be run: they are done, or unwanted."""

    resume: bool = False
    """Continue the training in the model file."""

    each_plane: bool = False
    """Also give the estimate of each plane, beside the fused one."""

    disagreement: bool = False
    """Also tell where the planes differ, and how much."""

    frame: Annotated[int, Ge(0)] = 0
    """The frame that the user looks at; it is shown first."""

    training: Training = Training()
    """How to train."""

    denoising: Denoising = Denoising()
    """How to denoise."""

    comparison: Comparison = Comparison()
    """What to compare."""

    fine_tuning: FineTuning = FineTuning()
    """How to fit a base model."""

    inspecting: Inspecting = Inspecting()
    """How to look for particles and test them."""
