"""Apply a model to one stack, the frame that is looked at first."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.applying import applying, model_for
from napari_lowdose.base_models import fitted
from napari_lowdose.config import Compute, Denoising, Device, Fusion
from napari_lowdose.denoiser import Progress, exhausted
from napari_lowdose.engine.link import Clock, Link, Stopped
from napari_lowdose.engine.preview import Denoise, Preview
from napari_lowdose.engine.telling import tell_ready, tell_result, warn
from napari_lowdose.jobs import Job
from napari_lowdose.shipped import BASE_MODELS, FASTEST, shipped_model

_SHARE, _PAUSE_S = 0.3, 0.3  # for frames that are looked at meanwhile
_FRAMES = 60  # that a preview's model is fitted to


def denoise(job: Job, link: Link) -> None:
    """Apply a model to one stack."""
    start, noisy = monotonic(), job.noisy[0].open()
    tell_ready(link, job.denoising.compute)
    look = _previewing(job, link, noisy.read())
    look()
    denoiser, notes = model_for(job.model, noisy, job.denoising)
    warn(link, notes)
    clock = Clock(link, "denoising")

    def watch(progress: Progress) -> None:
        clock.tell(progress.done, progress.total)
        if not link.go_on():
            raise Stopped
        look()

    steps = applying(denoiser, job.model, noisy, each_plane=job.each_plane)
    applied = exhausted(steps, watch)
    several = len(applied.planes) > 1 or applied.disagreement is not None
    stacks = dict(applied.planes) if job.each_plane and several else {}
    if job.disagreement and applied.disagreement is not None:
        stacks["disagreement"] = applied.disagreement
    stacks["fused" if several else "denoised"] = applied.stack
    for name, stack in stacks.items():
        tell_result(link, job, name, stack, seconds=monotonic() - start)


def _previewing(
    job: Job, link: Link, stack: Real[ndarray, "t y x"]
) -> Callable[[], None]:
    """Give what shows the frame that is looked at, if that is another one by now."""
    preview = Preview(job, link, stack, share=_SHARE, pause_s=_PAUSE_S)
    denoise: Denoise | None = None

    def look() -> None:
        nonlocal denoise
        if not (preview.worth_while and preview.moved):
            return
        if denoise is None:
            link.emit("progress", text="denoising the visible frame")
            denoise = _quick(job, stack, preview.frame)
            preview.show(denoise)
        else:
            preview.show_if_due(denoise)

    return look


def _quick(job: Job, stack: Real[ndarray, "t y x"], frame: int) -> Denoise:
    """Fit a model for previews: the user's own, or the fastest that is shipped."""
    path = job.model
    if shipped_model(path):
        path = str(BASE_MODELS[FASTEST].path)
    first = max(min(frame - _FRAMES // 2, len(stack) - _FRAMES), 0)
    part = np.asarray(stack[first : first + _FRAMES])
    denoiser, _ = fitted(path, part, job.denoising.compute)
    settings = job.denoising.model_copy(
        update={"fusion": Fusion.AUTO, "both_ways": False}
    )
    return denoiser.limited_to(settings, len(stack))


def warm_up() -> None:
    """Denoise a little, so that all is loaded and set up that a job needs.

    On the processor: a process that waits takes no memory of a GPU.
    """
    path = BASE_MODELS[FASTEST].path
    stack = np.random.default_rng(0).poisson(4.0, (16, 32, 32)).astype(np.uint16)
    settings = Denoising(compute=Compute(device=Device.CPU))
    if path.is_file():
        denoiser, _ = fitted(path, stack, settings.compute)
        denoiser(stack)
