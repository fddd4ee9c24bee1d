"""The viewer's end of the conversation with the engine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy import ndarray

from napari_lowdose.errors import LowDoseError

Message = Mapping[str, Any]

# -P: a torch.py in the user's working folder must not be taken for the library.
ENGINE = (sys.executable, "-P", "-m", "napari_lowdose.engine")
_QUIET_S = 0.1  # every item that a worker yields is an event of the viewer
_GRACE_S = 2.0
_LATEST_ONLY = ("progress", "preview")
_KEPT_IN_MEMORY = 512 * 2**20
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class EngineFailed(LowDoseError):
    """The engine said what went wrong, or broke down."""


class EngineProcess:
    """One long job in a child process.

    `talk` belongs to a worker thread; the other methods may be called from any.

    Parameters
    ----------
    prepare
        Writes the job's arrays and its file into a folder; gives the file.
    command
        Starts the engine, without the job's file.
    """

    def __init__(
        self, prepare: Callable[[Path], Path], *, command: Sequence[str] = ENGINE
    ) -> None:
        self._prepare = prepare
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._over = False
        self._folder: Path | None = None

    @property
    def pid(self) -> int | None:
        """The process's number, once it was started."""
        return self._child.pid if self._child else None

    def send(self, command: str) -> None:
        """Send ``stop``, ``pause``, ``resume`` or ``frame N``; too late is no fault."""
        with self._lock:
            if self._child is None or self._child.stdin is None:
                return
            with contextlib.suppress(OSError, ValueError):
                self._child.stdin.write(f"{command}\n".encode())
                self._child.stdin.flush()

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
        job = self._prepare(folder)
        with (folder / "stderr.txt").open("wb") as errors:
            child = self._start(job, errors)
        if child is None:
            return
        finished = False
        for said in _batches(_messages(child)):
            finished |= any(message["event"] == "done" for message in said)
            yield [_with_array(message, folder) for message in said]
        code = child.wait()
        if not finished and not self._over:
            raise EngineFailed(_last_words(folder, code))

    def _start(self, job: Path, errors: BinaryIO) -> subprocess.Popen[bytes] | None:
        """Start the child, unless the job was given up while it was prepared."""
        with self._lock:
            if self._over:
                return None
            self._child = subprocess.Popen(
                [*self._command, str(job)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                # Torch's waiting threads must leave the cores to the viewer's drawing.
                env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
                creationflags=_NO_WINDOW,
            )
            return self._child

    def close(self) -> None:
        """End the child, now, and remove the job's folder."""
        with self._lock:
            self._over = True
            child = self._child
        if child is not None:
            _end(child)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Close the child's standard input, which ends it; kill it if that does not."""
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _messages(child: subprocess.Popen[bytes]) -> Iterator[Message]:
    """Read the child's events until it ends; an error event raises."""
    assert child.stdout is not None
    with child.stdout as lines:
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a library printed something of its own
            if not isinstance(message, dict) or "event" not in message:
                continue
            if message["event"] == "error":
                raise EngineFailed(message["text"])
            yield message


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


def _with_array(message: Message, folder: Path) -> Message:
    """Add the array that a result or a preview names, under ``array``."""
    if message["event"] not in ("result", "preview"):
        return message
    path = folder / Path(message["path"]).name
    if message["event"] == "preview" or path.stat().st_size <= _KEPT_IN_MEMORY:
        return {**message, "array": np.load(path)}
    return {**message, "array": _mapped(path)}


def _mapped(path: Path) -> ndarray:
    """Map a large result into memory; its file lives as long as the array."""
    home = Path(tempfile.mkdtemp(prefix="lowdose-result-"))
    array: ndarray = np.load(shutil.move(path, home / path.name), mmap_mode="r")
    weakref.finalize(array, shutil.rmtree, home, ignore_errors=True)
    return array


def _last_words(folder: Path, code: int) -> str:
    """Tell how the engine broke down, in one sentence."""
    said = (folder / "stderr.txt").read_text(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    if last:
        return f"the computation broke down (exit code {code}): {last}"
    hint = "; perhaps the memory was full: crop the stack or lower the batch"
    return f"the computation was ended from outside (exit code {code}){hint}"
