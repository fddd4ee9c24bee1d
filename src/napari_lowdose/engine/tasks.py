"""What the engine can be asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic

import numpy as np
from numpy import ndarray

from napari_lowdose.applying import apply_model, model_for, model_step
from napari_lowdose.compare import compare as comparing
from napari_lowdose.denoiser import Progress, exhausted
from napari_lowdose.engine.link import Clock, Link, Stopped
from napari_lowdose.engine.preview import Preview
from napari_lowdose.io.atomic import replacing
from napari_lowdose.jobs import Job, Task
from napari_lowdose.networks import arithmetic
from napari_lowdose.planes import dropped_sentence
from napari_lowdose.stack import Stack
from napari_lowdose.training import (
    Epoch,
    TrainingRun,
    fitting,
    load_run,
    paired,
    prepare,
    save_run,
    split,
)


def train(job: Job, link: Link) -> None:
    """Fit networks; the model file is whole after each epoch."""
    noisy = [file.open().read() for file in job.noisy]
    truth = [file.open().read() for file in job.truth]
    examples = paired(noisy, truth)
    if job.resume:
        run = load_run(job.model, job.training)
        parts = split(examples, job.training.validation_fraction)
    else:
        run, parts = prepare(examples, job.training)
    _tell_dropped(link, job.training.planes, tuple(run.planes))
    # Before the work, so that a place that cannot be written to is told now.
    save_run(run, job.model)
    _tell_ready(link, job)
    clock = Clock(link, f"training ({run.training.objective})")
    preview = Preview(job, link, noisy[0])
    for event in fitting(run, parts):
        if isinstance(event, Epoch):
            save_run(run, job.model)
            _tell_epoch(link, event, run)
        else:
            clock.tell(event.done, event.total)
        if not link.go_on():
            break
        preview.show(run)
    if run.epoch == 0:
        save_run(run, job.model)
    link.emit("model", path=job.model)


def denoise(job: Job, link: Link) -> None:
    """Apply a model to one stack."""
    _tell_ready(link, job)
    clock, start = Clock(link, "denoising"), monotonic()
    steps = apply_model(job.model, job.noisy[0].open(), job.denoising)

    def watch(progress: Progress) -> None:
        clock.tell(progress.done, progress.total)
        if not link.go_on():
            raise Stopped

    applied = exhausted(steps, watch)
    for text in applied.notes:
        link.emit("warning", text=text)
    several = job.each_plane and len(applied.planes) > 1
    stacks = dict(applied.planes) if several else {}
    stacks["fused" if len(applied.planes) > 1 else "denoised"] = applied.stack
    for name, stack in stacks.items():
        _tell_result(link, job, name, stack, {}, monotonic() - start)


def compare(job: Job, link: Link) -> None:
    """Put methods side by side on one stack."""
    link.ends_at_once = True
    noisy = job.noisy[0].open()
    truth = job.truth[0].open() if job.truth else None
    denoiser, notes = None, tuple[str, ...]()
    if job.model:
        denoiser, notes = model_for(job.model, noisy, job.comparison.denoising)
    for text in notes:
        link.emit("warning", text=text)
    _tell_ready(link, job)
    results = comparing(
        noisy,
        truth=truth,
        comparison=job.comparison,
        denoiser=denoiser,
        model=model_step(job.model) if job.model else {},
    )
    n_planes = len(denoiser.planes) if denoiser else 0
    total = 1 + len(job.comparison.baselines) + n_planes + (n_planes > 1)
    clock = Clock(link, "comparing")
    clock.tell(0, total)
    for number, result in enumerate(results, 1):
        if result.stack is None:
            link.emit("warning", text=result.error)
        else:
            _tell_result(
                link, job, result.name, result.stack, result.scores, result.seconds
            )
        clock.tell(number, total)


TASKS: Mapping[Task, Callable[[Job, Link], None]] = {
    Task.TRAIN: train,
    Task.DENOISE: denoise,
    Task.COMPARE: compare,
}


def _save(path: Path, array: ndarray) -> None:
    with replacing(path) as temporary:
        np.save(temporary, array)


def _tell_ready(link: Link, job: Job) -> None:
    """Say on what the task computes."""
    compute = {
        Task.TRAIN: job.training.compute,
        Task.DENOISE: job.denoising.compute,
        Task.COMPARE: job.comparison.denoising.compute,
    }
    link.emit("ready", **arithmetic(compute[job.task]).described())


def _tell_dropped(link: Link, asked: Iterable[str], kept: Iterable[str]) -> None:
    """Say which directions make no sense for so few frames."""
    sentence = dropped_sentence(asked, kept)
    if sentence:
        link.emit("warning", text=sentence)


def _tell_epoch(link: Link, epoch: Epoch, run: TrainingRun) -> None:
    link.emit(
        "epoch",
        index=epoch.index,
        epochs=run.training.epochs,
        train_loss=dict(epoch.train_loss),
        valid_loss=dict(epoch.valid_loss),
        seconds=epoch.seconds,
    )


def _tell_result(
    link: Link,
    job: Job,
    name: str,
    stack: Stack,
    scores: Mapping[str, float],
    seconds: float,
) -> None:
    # A prefix of its own: the inputs in this folder are mapped into memory.
    path = Path(job.folder) / f"result-{name}.npy"
    _save(path, np.asarray(stack.data, np.float32))
    link.emit(
        "result",
        name=name,
        path=str(path),
        scores=dict(scores),
        seconds=seconds,
        step=dict(stack.recipe[-1]) if stack.recipe else {},
    )
