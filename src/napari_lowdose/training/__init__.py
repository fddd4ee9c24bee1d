"""Fitting networks to stacks, and keeping what was learned."""

from napari_lowdose.training.checkpoint import (
    describe_checkpoint,
    load_denoiser,
    load_run,
    save_run,
)
from napari_lowdose.training.examples import Example
from napari_lowdose.training.fit import Epoch, Step, fit, fitting
from napari_lowdose.training.run import TrainingRun

__all__ = [
    "Epoch",
    "Example",
    "Step",
    "TrainingRun",
    "describe_checkpoint",
    "fit",
    "fitting",
    "load_denoiser",
    "load_run",
    "save_run",
]
