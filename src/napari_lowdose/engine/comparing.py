"""Put methods side by side on one stack, each result as soon as it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_lowdose.applying import open_model
from napari_lowdose.compare import (
    Cache,
    Contest,
    Result,
    Untouched,
    methods_of,
    ran,
    refuse_unlike,
)
from napari_lowdose.config import Comparison
from napari_lowdose.engine.link import Link
from napari_lowdose.engine.telling import save_array, tell_ready, warn
from napari_lowdose.jobs import Job


def compare(job: Job, link: Link) -> None:
    """Run the methods that are asked for, those of the job's own fields included."""
    link.ends_at_once = True
    noisy = job.noisy[0].open()
    truth = job.truth[0].open() if job.truth else None
    refuse_unlike(noisy, truth)
    comparison = asked_for(job)
    estimates = [file.open() for file in job.estimate]
    methods = [Untouched(), *methods_of(comparison, open_model, estimates=estimates)]
    tell_ready(link, comparison.denoising.compute)
    cache = Cache.of_user() if comparison.cache else None
    contest = Contest.prepared(noisy, truth, comparison)
    n_results = 0
    for number, method in enumerate(methods):
        _tell_progress(link, number, len(methods), f"comparing: {method.name}")
        for result in ran(method, contest, cache):
            _tell(link, job, result, n_results)
            n_results += 1
    _tell_progress(link, len(methods), len(methods), "comparing")


def asked_for(job: Job) -> Comparison:
    """Give the comparison of a job; its model is one of those compared."""
    comparison = job.comparison
    models = [model for model in (job.model, *comparison.models) if model]
    return comparison.model_copy(update={"models": tuple(dict.fromkeys(models))})


def _tell_progress(link: Link, done: int, total: int, text: str) -> None:
    """Say which method runs; methods are too unlike to say for how long."""
    link.emit("progress", done=done, total=total, seconds_left=None, text=text)


def _tell(link: Link, job: Job, result: Result, number: int) -> None:
    """Leave a result in the job's folder and say all about it, or why there is none."""
    warn(link, result.notes)
    if result.stack is None:
        warn(link, [result.error])
        link.emit("failed", name=result.name, kind=result.kind, text=result.error)
        return
    # Names may hold what no file's name may.
    path = Path(job.folder) / f"result-{number}.npy"
    save_array(path, np.asarray(result.stack.data, np.float32))
    link.emit(
        "result",
        name=result.name,
        kind=result.kind,
        path=str(path),
        scores=result.scores,
        std_errors=dict(result.std_errors),
        seconds=result.seconds,
        memory_mb=result.memory_mb,
        settings=dict(result.settings),
        criterion=result.criterion,
        notes=list(result.notes),
        cached=result.cached,
        step=dict(result.stack.recipe[-1]) if result.stack.recipe else {},
    )
