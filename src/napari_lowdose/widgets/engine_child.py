"""The child process that the engine runs in."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from napari_lowdose.errors import LowDoseError

Message = Mapping[str, Any]

# -P: a torch.py in the user's working folder must not be taken for the library.
ENGINE = (sys.executable, "-P", "-m", "napari_lowdose.engine")
_GRACE_S = 2.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class EngineFailed(LowDoseError):
    """The engine said what went wrong, or broke down."""


class EngineChild:
    """A process that speaks JSON lines; its methods may be called from any thread.

    Parameters
    ----------
    command
        Starts the engine.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Torch's waiting threads must leave the cores to the viewer's drawing.
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
            creationflags=_NO_WINDOW,
        )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process goes on."""
        return self._process.poll() is None

    def send(self, command: str) -> None:
        """Send a line; too late is no fault."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(f"{command}\n".encode())
            self._process.stdin.flush()

    def messages(self) -> Iterator[Message]:
        """Read the events until the process ends.

        Raises
        ------
        EngineFailed
            If one of them is an error.
        """
        assert self._process.stdout is not None
        with self._process.stdout as lines:
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

    def last_words(self) -> str:
        """Wait for the end, and tell how the engine broke down in one sentence."""
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        if last:
            return f"the computation broke down (exit code {code}): {last}"
        hint = "; perhaps the memory was full: crop the stack or lower the batch"
        return f"the computation was ended from outside (exit code {code}){hint}"

    def end(self) -> None:
        """Close the standard input, which ends it; kill it if that does not."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def kill(self) -> None:
        """End the process at once, while somebody listens to it."""
        self._process.kill()

    def discard(self) -> None:
        """End a process that nobody listens to, at once."""
        self._process.kill()
        self.end()
        assert self._process.stdout is not None
        self._process.stdout.close()
