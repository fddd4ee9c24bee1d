"""What all tasks tell of themselves, and the files they leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from napari_lowdose.config import Compute
from napari_lowdose.engine.link import Link
from napari_lowdose.io.atomic import replacing
from napari_lowdose.jobs import Job
from napari_lowdose.networks import arithmetic
from napari_lowdose.stack import Stack


def tell_ready(link: Link, compute: Compute) -> None:
    """Say on what the task computes."""
    link.emit("ready", **arithmetic(compute).described())


def warn(link: Link, sentences: Iterable[str]) -> None:
    """Say what the user should read, each sentence once."""
    for sentence in dict.fromkeys(sentences):
        if sentence:
            link.emit("warning", text=sentence)


def tell_result(
    link: Link,
    job: Job,
    name: str,
    stack: Stack,
    *,
    scores: Mapping[str, float] | None = None,
    seconds: float = 0.0,
) -> None:
    """Leave a stack in the job's folder, and say where."""
    # A prefix of its own: the inputs in this folder are mapped into memory.
    path = Path(job.folder) / f"result-{name}.npy"
    save_array(path, np.asarray(stack.data, np.float32))
    link.emit(
        "result",
        name=name,
        path=str(path),
        scores=dict(scores or {}),
        seconds=seconds,
        step=dict(stack.recipe[-1]) if stack.recipe else {},
    )


def save_array(path: Path, array: ndarray) -> None:
    """Write an array; whoever reads finds a whole one."""
    with replacing(path) as temporary:
        np.save(temporary, array)
