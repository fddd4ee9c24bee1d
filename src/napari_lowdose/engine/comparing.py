"""Put methods side by side on one stack, each result as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from time import monotonic

import numpy as np
from numpy import ndarray

from napari_lowdose.applying import open_model
from napari_lowdose.compare import (
    Cache,
    Contest,
    Method,
    OpenedModel,
    Result,
    Untouched,
    methods_of,
    ran,
    refuse_unlike,
)
from napari_lowdose.config import Comparison, Denoising
from napari_lowdose.denoiser import Denoised, Denoiser, Progress, exhausted
from napari_lowdose.engine.link import Link, Stopped
from napari_lowdose.engine.telling import save_array, tell_ready, warn
from napari_lowdose.jobs import Job
from napari_lowdose.stack import Stack

_EVERY_S = 0.25


def compare(job: Job, link: Link) -> None:
    """Run the methods that are asked for, those of the job's own fields included.

    Of each method a ``method`` event tells the ``name`` and the ``state``: running (a
    model also tells its ``share`` and ``seconds_left``), done, or failed. One that is
    skipped ends, see `Link.begin`; there is no event for it.
    """
    link.ends_at_once = True
    noisy = job.noisy[0].open()
    truth = job.truth[0].open() if job.truth else None
    refuse_unlike(noisy, truth)
    comparison = asked_for(job)
    estimates = [file.open() for file in job.estimate]
    opening = _Opening(link)
    methods = [Untouched(), *methods_of(comparison, opening, estimates=estimates)]
    tell_ready(link, comparison.denoising.compute)
    if link.stopped:  # before this could end at once
        raise Stopped
    cache = Cache.of_user() if comparison.cache else None
    contest = Contest.prepared(noisy, truth, comparison)
    # Without truth, models also denoise the thinned movie.
    opening.n_passes = 2 if contest.counted else 1
    n_results = 0
    for number, method in enumerate(methods):
        if method.name in job.leave_out or not link.begin(method.name):
            continue
        _tell_progress(link, number, len(methods), f"comparing: {method.name}")
        opening.begin(method)
        n_results = _run(method, contest, cache, link, job, n_results)
        link.end()
    _tell_progress(link, len(methods), len(methods), "comparing")


def asked_for(job: Job) -> Comparison:
    """Give the comparison of a job; its model is one of those compared."""
    comparison = job.comparison
    models = [model for model in (job.model, *comparison.models) if model]
    return comparison.model_copy(update={"models": tuple(dict.fromkeys(models))})


def _run(
    method: Method,
    contest: Contest,
    cache: Cache | None,
    link: Link,
    job: Job,
    n_results: int,
) -> int:
    """Run one method and tell all its results; give how many there are by now."""
    link.emit("method", name=method.name, state="running")
    state = "done"
    for result in ran(method, contest, cache):
        _tell(link, job, result, n_results)
        state = "failed" if result.error else state
        n_results += 1
    link.emit("method", name=method.name, state=state)
    return n_results


class _Opening:
    """Opens models, as a comparison wants it, that tell how far they are."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.n_passes = 1  # how often each is opened
        self._name = ""
        self._opened = 0
        self._start, self._told = 0.0, -inf

    def begin(self, method: Method) -> None:
        """Be ready for the next method."""
        self._name, self._opened = method.name, 0
        self._start, self._told = monotonic(), -inf

    def __call__(self, path: str, noisy: Stack, denoising: Denoising) -> OpenedModel:
        """Open a model."""
        opened = open_model(path, noisy, denoising)
        assert isinstance(opened.denoiser, Denoiser)
        self._opened += 1
        return replace(opened, denoiser=_Watched(opened.denoiser, self._tell))

    def _tell(self, progress: Progress) -> None:
        now = monotonic()
        if now - self._told < _EVERY_S:
            return
        self._told = now
        share = (self._opened - 1 + progress.done / progress.total) / self.n_passes
        left = (now - self._start) * (1 - share) / share if share else None
        self._link.emit(
            "method", name=self._name, state="running", share=share, seconds_left=left
        )


class _Watched:
    """A denoiser that somebody watches."""

    def __init__(self, denoiser: Denoiser, watch: Callable[[Progress], object]) -> None:
        self._denoiser = denoiser
        self._watch = watch

    def denoised(self, stack: ndarray, /) -> Denoised:
        """Denoise, also by each plane on its own."""
        return exhausted(self._denoiser.denoising(stack), self._watch)

    def __call__(self, stack: ndarray, /) -> ndarray:
        """Denoise."""
        steps = self._denoiser.denoising(stack, each_plane=False)
        fused: ndarray = exhausted(steps, self._watch).fused
        return fused


def _tell_progress(link: Link, done: int, total: int, text: str) -> None:
    """Say which method runs; methods are too unlike to say for how long."""
    link.emit("progress", done=done, total=total, seconds_left=None, text=text)


def _tell(link: Link, job: Job, result: Result, number: int) -> None:
    """Leave a result in the job's folder and say all about it, or why there is none."""
    warn(link, result.notes)
    if result.stack is None:
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
        tiles=list(result.tiles),
        step=dict(result.stack.recipe[-1]) if result.stack.recipe else {},
    )
