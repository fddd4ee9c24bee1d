"""Fitting networks to stacks, and keeping what was learned."""

from napari_lowdose.training.checkpoint import (
    KEY,
    describe_checkpoint,
    load_denoiser,
    load_run,
    read_model,
    save_run,
    sensible,
)
from napari_lowdose.training.examples import Example, paired, split
from napari_lowdose.training.loop import Epoch, Step, fit, fitting, prepare
from napari_lowdose.training.run import TrainingRun

__all__ = [
    "KEY",
    "Epoch",
    "Example",
    "Step",
    "TrainingRun",
    "describe_checkpoint",
    "fit",
    "fitting",
    "load_denoiser",
    "load_run",
    "paired",
    "prepare",
    "read_model",
    "save_run",
    "sensible",
    "split",
]
