"""Fit a base model to the stack at hand, and show what becomes of it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from numpy import ndarray

from napari_lowdose.base_models import denoiser_of, load_base, save_base
from napari_lowdose.base_models.fine_tune import FineTune, Tick, Tuned
from napari_lowdose.engine.link import Clock, Link
from napari_lowdose.engine.preview import Picture, Preview
from napari_lowdose.engine.telling import save_array, tell_ready, warn
from napari_lowdose.jobs import Job
from napari_lowdose.model_history import SUFFIX
from napari_lowdose.shipped import model_path
from napari_lowdose.training import paired


def fine_tune(job: Job, link: Link) -> None:
    """Fine-tune for the time that is allowed; each validation leaves a model file."""
    noisy = [file.open().read() for file in job.noisy]
    truth = [file.open().read() for file in job.truth]
    tell_ready(link, job.fine_tuning.compute)
    base = load_base(model_path(job.model))
    tuning = FineTune.start(base, paired(noisy, truth), job.fine_tuning)
    warn(link, tuning.notes)
    text = f"fine-tuning ({tuning.settings.objective})"
    link.emit("progress", text=text)
    clock = Clock(link, text)
    preview = Preview(job, link, noisy[0])

    def denoise(window: ndarray) -> ndarray:
        source, compute = tuning.lessons.sources[0], job.fine_tuning.compute
        denoiser = denoiser_of(
            tuning.present(), source.units, compute, shared=source.shared
        )
        return denoiser(window)

    numbers = count()
    for event in tuning.going():
        if isinstance(event, Tick):
            clock.tell(round(1000 * event.seconds), round(1000 * event.total))
        else:
            picture = preview.look(denoise)
            _tell_checkpoint(job, link, tuning, event, next(numbers), picture)
        if not link.go_on():
            break
        if preview.moved:
            preview.show_if_due(denoise)


def _tell_checkpoint(
    job: Job, link: Link, tuning: FineTune, told: Tuned, number: int, picture: Picture
) -> None:
    """Leave the model of the moment, but for the base, and what it makes of a frame."""
    folder = Path(job.folder)
    image = folder / f"checkpoint-{number}.npy"
    save_array(image, picture.image)
    model = ""
    if number:
        path = folder / f"checkpoint-{number}{SUFFIX}"
        model = str(save_base(tuning.present(), path))
    rows, columns = picture.window.rows, picture.window.columns
    link.emit(
        "checkpoint",
        number=number,
        seconds=told.seconds,
        loss=told.loss,
        base_loss=told.base_loss,
        best=told.best,
        model=model,
        path=str(image),
        frame=picture.frame,
        seen=[rows.start, rows.stop, columns.start, columns.stop],
    )
