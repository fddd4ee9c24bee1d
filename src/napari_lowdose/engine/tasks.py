"""What the engine can be asked to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from numpy import ndarray

from napari_lowdose.config import Denoising
from napari_lowdose.engine.comparing import compare
from napari_lowdose.engine.denoising import denoise, warm_up
from napari_lowdose.engine.fine_tuning import fine_tune
from napari_lowdose.engine.inspecting import inspect, null_test
from napari_lowdose.engine.link import Clock, Link
from napari_lowdose.engine.preview import Preview
from napari_lowdose.engine.telling import tell_ready, warn
from napari_lowdose.jobs import Job, Task
from napari_lowdose.planes import dropped_sentence
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

__all__ = ["TASKS", "warm_up"]


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
    warn(link, [dropped_sentence(job.training.planes, tuple(run.planes))])
    # Before the work, so that a place that cannot be written to is told now.
    save_run(run, job.model)
    tell_ready(link, job.training.compute)
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
        preview.show_if_due(partial(_seen_by, run))
    if run.epoch == 0:
        save_run(run, job.model)
    link.emit("model", path=job.model)


TASKS: Mapping[Task, Callable[[Job, Link], None]] = {
    Task.TRAIN: train,
    Task.DENOISE: denoise,
    Task.COMPARE: compare,
    Task.FINE_TUNE: fine_tune,
    Task.INSPECT: inspect,
    Task.NULL_TEST: null_test,
}


def _seen_by(run: TrainingRun, window: ndarray) -> ndarray:
    """Denoise a window with the weights so far."""
    denoiser = run.denoiser()
    settings = Denoising(planes=denoiser.planes, compute=denoiser.compute)
    estimate: ndarray = denoiser.limited_to(settings, len(window))(window)
    return estimate


def _tell_epoch(link: Link, epoch: Epoch, run: TrainingRun) -> None:
    link.emit(
        "epoch",
        index=epoch.index,
        epochs=run.training.epochs,
        train_loss=dict(epoch.train_loss),
        valid_loss=dict(epoch.valid_loss),
        seconds=epoch.seconds,
    )
