"""An engine that is started ahead, so that a job begins at once.

Loading torch takes seconds on most machines, a first look at a frame less than one.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Sequence
from functools import partial

from napari_lowdose.widgets.engine_child import ENGINE, EngineChild
from napari_lowdose.widgets.panel import Panel


class SpareEngine:
    """At most one process that has loaded all and waits for a job.

    It lives while a panel is open that may need it, and ends with the viewer's process
    in any case, as each engine does: its standard input ends.

    Parameters
    ----------
    command
        Starts an engine that waits.
    """

    def __init__(self, command: Sequence[str] = ENGINE) -> None:
        self._command = tuple(command)
        self._child: EngineChild | None = None
        self._lock = threading.Lock()
        self._panels: set[int] = set()

    @property
    def pid(self) -> int | None:
        """The number of the process that waits, if there is one."""
        child = self._child
        return child.pid if child and child.alive else None

    def serve(self, panel: Panel) -> None:
        """Keep an engine ready from now on until the panel is closed."""
        if id(panel) not in self._panels:
            self._panels.add(id(panel))
            leave = partial(self._leave, id(panel))
            panel.closed.connect(leave)
            panel.destroyed.connect(leave)
        self.refill()

    def refill(self) -> None:
        """Start an engine, if a panel may need one and none waits."""
        with self._lock:
            if not self._panels or (self._child and self._child.alive):
                return
            self._discard()
            self._child = EngineChild(self._command)

    def take(self) -> EngineChild | None:
        """Give the engine away, if one waits; may be called from any thread."""
        with self._lock:
            child, self._child = self._child, None
        if child is None or child.alive:
            return child
        child.discard()
        return None

    def close(self) -> None:
        """End the engine; another may be started later."""
        with self._lock:
            self._discard()

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.discard()

    def _leave(self, panel: int, *_closed: object) -> None:
        self._panels.discard(panel)
        if not self._panels:
            self.close()


SPARE = SpareEngine()
atexit.register(SPARE.close)
