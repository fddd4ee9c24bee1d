"""The engine's end of the conversation with its parent."""

from __future__ import annotations

import json
import os
import threading
from queue import SimpleQueue
from time import monotonic
from typing import TextIO

_HEARTBEAT_S = 0.08


class Stopped(Exception):
    """Leaves a task that was asked to stop and has nothing to keep."""


class Link:
    """The engine's end of the conversation with its parent."""

    def __init__(self, commands: TextIO, events: TextIO) -> None:
        self._commands = commands
        self._events = events
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[str] = SimpleQueue()
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self._parts = threading.Lock()
        self._part = ""
        self._skipped: set[str] = set()
        self.ends_at_once = False
        self.frame = -1  # none was told yet

    def open(self) -> None:
        """Start to listen."""
        self.emit("hello", pid=os.getpid())
        threading.Thread(target=self._listen, daemon=True).start()

    def beat(self) -> None:
        """Start to send a heartbeat; not before somebody reads it."""
        threading.Thread(target=self._beat, daemon=True).start()

    def job(self) -> str:
        """Wait for the file of a job."""
        return self._jobs.get()

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

    def begin(self, part: str) -> bool:
        """Begin a named part of the task; tell whether it is still wanted.

        A part that waits is left out when the parent skips it. One that is at work ends
        with the process, at once: what runs in other people's C code can neither be
        interrupted nor left alone without taking the processor from the rest. Whoever
        skips a part is to start another process for those that are left.
        """
        with self._parts:
            self._part = part
            return part not in self._skipped

    def end(self) -> None:
        """Be done with the part that was begun; it can no longer be skipped."""
        with self._parts:
            self._part = ""

    def _skip(self, part: str) -> None:
        with self._parts:
            self._skipped.add(part)
            if part == self._part:
                self.emit("done", stopped=False, skipped=part)
                os._exit(0)

    def _beat(self) -> None:
        while not self._stopped.wait(_HEARTBEAT_S):
            self.emit("heartbeat")

    def _listen(self) -> None:
        for line in self._commands:
            command, _, argument = line.rstrip("\r\n").partition(" ")
            self._obey(command, argument)
        os._exit(3)

    def _obey(self, command: str, argument: str) -> None:
        if command == "job":
            self._jobs.put(json.loads(argument))
        elif command == "pause":
            self._going.clear()
        elif command == "resume":
            self._going.set()
        elif command == "frame" and argument.isdigit():
            self.frame = int(argument)
        elif command == "skip":
            self._skip(json.loads(argument))
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
