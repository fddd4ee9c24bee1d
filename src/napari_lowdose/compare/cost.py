"""How much time and memory a piece of work takes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from napari_lowdose.memory import return_free

T = TypeVar("T")

_EVERY_S = 0.005
_STATM = Path("/proc/self/statm")
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class Cost:
    """What a piece of work took.

    Parameters
    ----------
    seconds
        By the clock on the wall.
    memory_mb
        How far the process grew meanwhile at the most, in millions of bytes. Its memory
        is read 200 times a second, so this is a lower bound: it misses shorter peaks
        and the memory of a GPU; and outside Linux also what fitted into memory that
        earlier work had left. NaN where the system does not tell; Linux does, and
        psutil, which napari brings.
    """

    seconds: float = nan
    memory_mb: float = nan


def measured(work: Callable[[], T]) -> tuple[T, Cost]:
    """Do a piece of work and tell what it took."""
    return_free()
    with _Growth() as growth:
        start = perf_counter()
        found = work()
        seconds = perf_counter() - start
    return found, Cost(seconds, growth.mb)


class _Growth:
    """Watches how far the process grows within a ``with`` block."""

    def __init__(self) -> None:
        self.mb = nan
        self._over = threading.Event()
        self._peak = 0
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Growth:
        self._start = resident_bytes()
        if self._start is not None:
            self._peak = self._start
            self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._start is not None:
            self._watch.join()
            self._note()
            self.mb = (self._peak - self._start) / 1e6

    def _look(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._note()

    def _note(self) -> None:
        self._peak = max(self._peak, resident_bytes() or 0)


def resident_bytes() -> int | None:
    """Tell how much memory this process has; None where the system does not say."""
    try:
        pages = int(_STATM.read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import psutil  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    return int(psutil.Process().memory_info().rss)


def available_bytes() -> int | None:
    """Tell how much memory is left to take; None where the system does not say."""
    try:
        lines = _MEMINFO.read_text().splitlines()
        return next(int(n.split()[1]) * 1024 for n in lines if "MemAvailable" in n)
    except (OSError, StopIteration):
        pass
    try:
        import psutil  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)
