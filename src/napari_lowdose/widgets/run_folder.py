"""One method on each movie of a folder, one file after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_lowdose.compare.repeating import Repetition
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.jobs import Task
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.runner import job_of


class FolderRun(QObject):
    """Reads, denoises and writes file after file; what fails does not stop the rest.

    Parameters
    ----------
    panel
        Runs the engine; it hands on results to `take` and the end of each to `go_on`.
    repeats
        The method.
    pairs
        Files to read, and to write.

    Signals
    -------
    told
        Emitted with which file it is at.
    ended
        Emitted once, with a sentence on how it went.
    """

    told = Signal(str)
    ended = Signal(str)

    def __init__(
        self,
        panel: EnginePanel,
        repeats: Repetition,
        pairs: Sequence[tuple[Path, Path]],
    ) -> None:
        super().__init__()
        self._panel, self._repeats, self._pairs = panel, repeats, pairs
        self._number = -1
        self._failed: list[str] = []
        self._stack: Stack | None = None
        self._result: Stack | None = None

    @property
    def busy(self) -> bool:
        """Whether files are left, or one is being written."""
        return self._number < len(self._pairs)

    def start(self) -> None:
        """Begin with the first file."""
        self._next()

    def take(self, message: dict[str, Any]) -> None:
        """Take in the result of the file at hand."""
        if self._stack is not None and self._repeats.wants(message["name"]):
            name, step = message["name"], message["step"]
            self._result = self._stack.with_data(message["array"], name, step)

    def go_on(self) -> None:
        """Write what there is, then take the next file; called when a job has ended."""
        if self._result is None:
            if not self._stopped:
                self._failed.append(self._pairs[self._number][0].name)
            self._next()
            return
        steps = partial(_written, self._result, self._pairs[self._number][1])
        work = Background(steps, title="Saving", panel=self._panel)
        work.ended.connect(self._note)
        work.start()

    def _note(self, well: bool) -> None:
        if not well:
            self._failed.append(self._pairs[self._number][0].name)
        self._number += 1 if self._stopped else 0  # this one is done
        self._next()

    def _next(self) -> None:
        self._stack = self._result = None
        if self._stopped:
            self._end(f"stopped after {self._number} of {len(self._pairs)} files")
            return
        self._number += 1
        if self._number == len(self._pairs):
            done = len(self._pairs) - len(self._failed)
            folder = self._pairs[0][1].parent
            failed = f"; not {', '.join(self._failed)}" if self._failed else ""
            self._end(f"{done} of {len(self._pairs)} files are in {folder}{failed}")
            return
        path = self._pairs[self._number][0]
        self.told.emit(f"file {self._number + 1} of {len(self._pairs)}: {path.name}")
        self._panel.launch(partial(self._prepare, path), f"Denoising {path.name}")

    @property
    def _stopped(self) -> bool:
        begun = self._number >= 0  # before that, the panel's last run was another
        return begun and self._panel.run is not None and self._panel.run.stops

    def _prepare(self, path: Path, folder: Path) -> Path:
        """Read a file and write its job, off the viewer's thread."""
        self._stack = read_stack(path)
        repeats = self._repeats
        prepare = job_of(self._stack, None, task=task_of(repeats), **repeats.settings)
        return prepare(folder)

    def _end(self, sentence: str) -> None:
        self._number = len(self._pairs)
        self.told.emit("")
        self.ended.emit(sentence)


def task_of(repeats: Repetition) -> Task:
    """Tell what the engine is asked to do; a comparison tunes a classical method."""
    return Task.COMPARE if repeats.model is None else Task.DENOISE


def free_folder(source: Path, method: str) -> Path:
    """Name a folder for results beside that of the movies; none is overwritten."""
    name = f"{source.name}-{method.replace('_', '-')}"
    number, folder = 1, source.with_name(name)
    while folder.exists():
        number += 1
        folder = source.with_name(f"{name}-{number}")
    return folder


def _written(stack: Stack, path: Path) -> Iterator[Path]:
    yield write_stack(stack, path)
