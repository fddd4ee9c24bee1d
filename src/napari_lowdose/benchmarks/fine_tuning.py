"""What a minute of fine-tuning on the stack itself is worth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.base_models import BaseFile, denoiser_of, load_base, model_path
from napari_lowdose.base_models.fine_tune import FineTune, Tuned
from napari_lowdose.benchmarks.quality.stacks import development_set
from napari_lowdose.config import FineTuning
from napari_lowdose.metrics.reference import psnr
from napari_lowdose.noise import read_noise_units
from napari_lowdose.training import Example

_SECONDS = 60.0


def measure_fine_tuning(
    model: str = "accurate",
    *,
    seconds: float = _SECONDS,
    small: bool = False,
    data: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Fine-tune a base model on each noisy stack of the development set.

    Nothing but the noisy counts is seen; the truth only judges.

    Parameters
    ----------
    model
        Name of a base model, or a model file.
    seconds
        For how long, on each stack.
    small
        Small stacks, for tests.
    data
        Folder of the real movies.

    Yields
    ------
    dict
        Per stack: the gain in decibels over the model as it came, both levels, the
        share by which the held-out loss fell, the objective, how many validations there
        were and whether one was better; then the mean and the least gain.
    """
    gains = []
    base = load_base(model_path(model))
    for stack in development_set(small=small, data=data):
        settings = FineTuning(seconds=seconds)
        tuning = FineTune.start(base, [Example(stack.noisy, None)], settings)
        told = [event for event in tuning.going() if isinstance(event, Tuned)]
        blind, tuned = (
            psnr(_denoised(file, stack.noisy), stack.truth)
            for file in (base, tuning.best())
        )
        gains.append(tuned - blind)
        lowest = min(event.loss for event in told)
        yield {
            "what": stack.name,
            "rate": tuned - blind,
            "unit": "dB",
            "blind": blind,
            "fine-tuned": tuned,
            "held-out loss": lowest / told[0].loss,
            "objective": tuning.settings.objective,
            "steps": told[-1].step,
            "better": tuning.better,
        }
    yield {
        "what": "all",
        "rate": float(np.mean(gains)),
        "unit": "dB",
        "least": min(gains),
        "stacks": len(gains),
    }


def _denoised(file: BaseFile, noisy: Real[ndarray, "t y x"]) -> Real[ndarray, "t y x"]:
    units, _ = read_noise_units(noisy)
    return denoiser_of(file, units)(noisy)
