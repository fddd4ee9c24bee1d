"""The viewer's end of the conversation with the engine."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy import ndarray

from napari_lowdose.widgets.engine_child import (
    ENGINE,
    EngineChild,
    EngineFailed,
    Message,
)
from napari_lowdose.widgets.spare_engine import SpareEngine

__all__ = ["ENGINE", "EngineFailed", "EngineProcess", "Message"]

_QUIET_S = 0.1  # every item that a worker yields is an event of the viewer
_LATEST_ONLY = ("progress", "preview")
_KEPT_IN_MEMORY = 512 * 2**20


class EngineProcess:
    """One long job in a child process.

    `talk` belongs to a worker thread; the other methods may be called from any.

    Parameters
    ----------
    prepare
        Writes the job's arrays and its file into a folder; gives the file.
    command
        Starts the engine, without the job's file.
    spare
        Where an engine may wait that was started ahead; None: never.
    """

    def __init__(
        self,
        prepare: Callable[[Path], Path],
        *,
        command: Sequence[str] = ENGINE,
        spare: SpareEngine | None = None,
    ) -> None:
        self._prepare = prepare
        self._command = tuple(command)
        self._spare = spare
        self._lock = threading.Lock()
        self._child: EngineChild | None = None
        self._early: list[str] = []
        self._over = False
        self._folder: Path | None = None

    @property
    def pid(self) -> int | None:
        """The process's number, once it was started."""
        return self._child.pid if self._child else None

    def send(self, command: str) -> None:
        """Send ``stop``, ``pause``, ``resume``, ``frame N`` or ``skip "METHOD"``.

        Too late is no fault, and what comes too early waits for the engine.
        """
        with self._lock:
            child = self._child
            if child is None:
                self._early.append(command)
        if child is not None:
            child.send(command)

    def cut_off(self) -> None:
        """Kill the engine; what it said before is still told, and no error follows."""
        with self._lock:
            self._over = True
            child = self._child
        if child is not None:
            child.kill()

    def talk(self) -> Iterator[list[Message]]:
        """Do the job; yield what the engine said, about ten times a second.

        An item may be empty: the worker looks between items whether it shall end.

        Raises
        ------
        EngineFailed
            If the engine reports an error or ends without a word.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="lowdose-"))
        try:
            yield from self._talk(self._folder)
        finally:
            # Here rather than in `close`: large files take the disk a while.
            shutil.rmtree(self._folder, ignore_errors=True)

    def _talk(self, folder: Path) -> Iterator[list[Message]]:
        yield [{"event": "progress", "text": "copying the stack"}]
        child = self._begin(self._prepare(folder))
        if child is None:
            return
        finished = False
        for said in _batches(child.messages()):
            finished |= any(message["event"] == "done" for message in said)
            yield [_with_files(message, folder) for message in said]
        if not finished and not self._over:
            raise EngineFailed(child.last_words())

    def _begin(self, job: Path) -> EngineChild | None:
        """Start the job, unless it was given up while it was prepared."""
        with self._lock:
            if self._over:
                return None
            self._child = self._spare.take() if self._spare else None
            if self._child is not None:
                self._child.send(f"job {json.dumps(str(job))}")
            else:
                self._child = EngineChild([*self._command, str(job)])
            for command in self._early:
                self._child.send(command)
            return self._child

    def close(self) -> None:
        """End the child, now, and remove the job's folder."""
        with self._lock:
            self._over = True
            child = self._child
        if child is not None:
            child.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _batches(messages: Iterator[Message]) -> Iterator[list[Message]]:
    """Collect messages for a moment; of progress and previews keep the last."""
    batch: list[Message] = []
    start = time.monotonic()
    for message in messages:
        if message["event"] in _LATEST_ONLY:
            batch = [old for old in batch if old["event"] != message["event"]]
        if message["event"] != "heartbeat":
            batch.append(message)
        if time.monotonic() - start >= _QUIET_S:
            yield batch
            batch, start = [], time.monotonic()
    yield batch


def _with_files(message: Message, folder: Path) -> Message:
    """Add the content of the files that a message names.

    The picture of a result, a preview or a checkpoint comes under ``array``, the model
    file of a checkpoint, which is small, as bytes under ``content``, and the tables of
    an inspection as arrays of named columns under the names of their paths.
    """
    if message["event"] == "particles":
        tables = {
            name: np.load(folder / Path(message[name]).name)
            for name in ("particles", "courses")
        }
        return {**message, **tables}
    if message["event"] not in ("result", "preview", "checkpoint"):
        return message
    path = folder / Path(message["path"]).name
    large = path.stat().st_size > _KEPT_IN_MEMORY
    array = _mapped(path) if message["event"] == "result" and large else np.load(path)
    if message["event"] != "checkpoint":
        return {**message, "array": array}
    model = folder / Path(message["model"]).name if message["model"] else None
    content = model.read_bytes() if model else b""
    for file in (path, model):
        if file is not None:
            file.unlink()
    return {**message, "array": array, "content": content}


def _mapped(path: Path) -> ndarray:
    """Map a large result into memory; its file lives as long as the array."""
    home = Path(tempfile.mkdtemp(prefix="lowdose-result-"))
    array: ndarray = np.load(shutil.move(path, home / path.name), mmap_mode="r")
    weakref.finalize(array, shutil.rmtree, home, ignore_errors=True)
    return array
