"""One long job in a process of its own: ``python -m napari_lowdose.engine job.json``.

Speaks one JSON object a line on standard output, with the kind under ``event``, and
listens for ``stop``, ``pause``, ``resume`` and ``frame N`` on standard input. The end
of standard input means that the parent is gone: the process ends at once.

Why a process: torch's threads in the viewer's process fight its drawing, OpenMP's
waiting can only be chosen before torch is loaded, and a crash stays a message.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TextIO

import numpy as np
from numpy import ndarray

from napari_lowdose.errors import LowDoseError
from napari_lowdose.io.atomic import replacing
from napari_lowdose.jobs import Job, Task
from napari_lowdose.stack import Stack

if TYPE_CHECKING:
    from napari_lowdose.training import Epoch, TrainingRun

_HEARTBEAT_S = 0.08
_PREVIEW_SHARE = 0.1  # of the time, at most
_PREVIEW_PAUSE_S = 1.5
_PREVIEW_VOXELS = 4_000_000
_PREVIEW_FRAMES = 33


class Link:
    """The engine's end of the conversation with its parent."""

    def __init__(self, commands: TextIO, events: TextIO) -> None:
        self._commands = commands
        self._events = events
        self._lock = threading.Lock()
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self.ends_at_once = False
        self.frame = 0

    def open(self) -> None:
        """Start to listen, and to send a heartbeat."""
        self.emit("hello", pid=os.getpid())
        for work in (self._listen, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def emit(self, event: str, **content: object) -> None:
        """Send one event."""
        line = json.dumps({"event": event, **content})
        with self._lock:
            try:
                self._events.write(line + "\n")
                self._events.flush()
            except OSError:
                os._exit(3)

    def go_on(self) -> bool:
        """Wait while paused; tell whether to go on."""
        self._going.wait()
        return not self._stopped.is_set()

    @property
    def stopped(self) -> bool:
        """Whether the parent asked to stop."""
        return self._stopped.is_set()

    def _beat(self) -> None:
        while not self._stopped.wait(_HEARTBEAT_S):
            self.emit("heartbeat")

    def _listen(self) -> None:
        for line in self._commands:
            self._obey(*line.split())
        os._exit(3)

    def _obey(self, command: str = "", argument: str = "") -> None:
        if command == "pause":
            self._going.clear()
        elif command == "resume":
            self._going.set()
        elif command == "frame" and argument.isdigit():
            self.frame = int(argument)
        elif command == "stop":
            self._stopped.set()
            self._going.set()
            if self.ends_at_once:
                self.emit("done", stopped=True)
                os._exit(0)


class Clock:
    """Progress with the time left, sent a few times a second at most."""

    def __init__(self, link: Link, text: str) -> None:
        self._link = link
        self._text = text
        self._start = self._sent = monotonic()
        self._first: int | None = None

    def tell(self, done: int, total: int) -> None:
        """Send that `done` of `total` steps are finished."""
        now = monotonic()
        if self._first is None:
            self._first, self._start = done, now
        if now - self._sent < 0.1 and done < total:
            return
        self._sent = now
        fresh = done - self._first
        left = (now - self._start) / fresh * (total - done) if fresh else None
        self._link.emit(
            "progress", done=done, total=total, seconds_left=left, text=self._text
        )


class Preview:
    """What the training so far makes of the frame that the user looks at."""

    def __init__(self, job: Job, link: Link, stack: ndarray) -> None:
        self._folder = Path(job.folder)
        self._link = link
        self._stack = stack
        self._next = monotonic() + _PREVIEW_PAUSE_S
        self._number = 0

    def show(self, run: TrainingRun) -> None:
        """Denoise the visible frame, unless that was done a moment ago."""
        start = monotonic()
        if start < self._next:
            return
        frame = min(self._link.frame, len(self._stack) - 1)
        path = self._folder / f"preview-{self._number % 2}.npy"
        _save(path, self._denoised(run, frame))
        self._link.emit("preview", frame=frame, path=str(path))
        self._number += 1
        end = monotonic()
        self._next = end + max(_PREVIEW_PAUSE_S, (end - start) / _PREVIEW_SHARE)

    def _denoised(self, run: TrainingRun, frame: int) -> ndarray:
        """Denoise the frame with as many neighbours as a short wait allows."""
        from napari_lowdose.config import Denoising

        affordable = _PREVIEW_VOXELS // self._stack[0].size
        reach = max(min(_PREVIEW_FRAMES, affordable) // 2, 0)
        first = max(frame - reach, 0)
        window = self._stack[first : frame + reach + 1]
        denoiser = run.denoiser()
        settings = Denoising(planes=denoiser.planes, compute=denoiser.compute)
        estimate: ndarray = denoiser.limited_to(settings, len(window))(window)
        image: ndarray = estimate[frame - first]
        return image


def train(job: Job, link: Link) -> None:
    """Fit networks; the model file is whole after each epoch."""
    from napari_lowdose.training import (
        Epoch,
        fitting,
        load_run,
        paired,
        prepare,
        save_run,
        split,
    )

    noisy = [file.open().read() for file in job.noisy]
    truth = [file.open().read() for file in job.truth]
    examples = paired(noisy, truth)
    if job.resume:
        run = load_run(job.model, job.training)
        parts = split(examples, job.training.validation_fraction)
    else:
        run, parts = prepare(examples, job.training)
    _tell_dropped(link, job.training.planes, tuple(run.planes))
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
    from napari_lowdose.applying import apply_model

    _tell_ready(link, job)
    clock, start = Clock(link, "denoising"), monotonic()
    steps = apply_model(job.model, job.noisy[0].open(), job.denoising)
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            applied = end.value
            break
        clock.tell(progress.done, progress.total)
        if not link.go_on():
            return
    for text in applied.notes:
        link.emit("warning", text=text)
    several = job.each_plane and len(applied.planes) > 1
    stacks = dict(applied.planes) if several else {}
    stacks["fused" if len(applied.planes) > 1 else "denoised"] = applied.stack
    for name, stack in stacks.items():
        _tell_result(link, job, name, stack, {}, monotonic() - start)


def compare(job: Job, link: Link) -> None:
    """Put methods side by side on one stack."""
    from napari_lowdose.applying import model_for, model_step
    from napari_lowdose.compare import compare as comparing

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
    import torch

    from napari_lowdose.networks import arithmetic

    compute = {
        Task.TRAIN: job.training.compute,
        Task.DENOISE: job.denoising.compute,
        Task.COMPARE: job.comparison.denoising.compute,
    }
    how = arithmetic(compute[job.task])
    link.emit(
        "ready",
        device=how.device.type,
        precision=str(how.dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
    )


def _tell_dropped(link: Link, asked: Iterable[str], kept: Iterable[str]) -> None:
    """Say which directions make no sense for so few frames."""
    from napari_lowdose.planes import dropped_sentence

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


def main(arguments: list[str]) -> int:
    """Do the job in the file that is named; give the exit code."""
    # Before torch loads: waiting OpenMP threads must not take the viewer's core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if hasattr(os, "nice"):
        os.nice(10)
    # Whatever libraries print must not come between the events.
    events, sys.stdout = sys.stdout, sys.stderr
    link = Link(sys.stdin, events)
    link.open()
    warnings.showwarning = lambda message, *_, **__: link.emit(
        "warning", text=str(message)
    )
    job = Job.model_validate_json(Path(arguments[0]).read_text(encoding="utf-8"))
    try:
        TASKS[job.task](job, link)
    except (LowDoseError, ValueError) as error:
        link.emit("error", text=str(error))
        return 2
    except MemoryError:
        link.emit("error", text="the memory is full; crop the stack or close others")
        return 2
    link.emit("done", stopped=link.stopped)
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Not sys.exit: the listening thread still holds standard input.
    sys.stderr.flush()
    os._exit(code)
