"""Work beside the viewer, safely: napari knows of it and it may end at any time."""

from __future__ import annotations

import atexit
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, no_type_check

from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject, QThreadPool, Signal
from superqt.utils import create_worker as create_quiet_worker

from napari_lowdose.errors import LowDoseError
from napari_lowdose.widgets.panel import Panel

Steps = Callable[[], Iterator[object]]

_GRACE_S = 3.0
_SILENT = (DeprecationWarning, PendingDeprecationWarning, ImportWarning)
_RUNNING: set[Background] = set()
_END = object()


class Background(QObject):
    """One generator that runs in a napari worker thread.

    It has no parent, so that it outlives the panel it works for; when the panel is
    closed it falls silent and ends. Slots run on the viewer's thread.

    Parameters
    ----------
    steps
        Gives the generator; it may touch neither layers nor widgets.
    title
        What napari's activity dock calls the work.
    panel
        Whose closing ends the work; errors are told there.
    quiet
        For what nobody has asked for and is over at once: napari does not know of it,
        and what goes wrong comes as a text. Warnings are only emitted.

    Signals
    -------
    came
        Emitted with each yielded item.
    warned
        Emitted with each warning of the work.
    ended
        Emitted once at the end, also after an error, with whether all went well.
    """

    came = Signal(object)
    warned = Signal(str)
    ended = Signal(bool)

    def __init__(
        self, steps: Steps, *, title: str, panel: Panel, quiet: bool = False
    ) -> None:
        super().__init__()
        self._panel: Panel | None = panel
        self._quiet = quiet
        self._well = True
        self._over = False
        self._inbox: deque[object] = deque()
        self._delivering = False
        self._worker = _worker(_guarded(steps, title), title, quiet=quiet)
        self._worker.yielded.connect(self._relay)
        self._worker.errored.connect(self._broken)
        self._worker.warned.connect(self._warn)
        self._worker.finished.connect(self._finish)
        panel.closed.connect(self.abandon)
        # The panel's last breath; its methods are gone by then.
        panel.destroyed.connect(self.abandon)

    def start(self) -> None:
        """Begin; the signals are to be connected before."""
        _RUNNING.add(self)
        self._worker.start()

    @property
    def running(self) -> bool:
        """Whether the work goes on, or its last items wait to be delivered."""
        return self._panel is not None and self in _RUNNING

    def tell_progress(self, done: int, total: int) -> None:
        """Show in the activity dock how far the work is; it adds the time left."""
        bar = self._worker.pbar
        if bar.total != total:
            bar.total = total
        bar.update(done - bar.n)

    def abandon(self, *_closed: object) -> None:
        """Fall silent and end; called when the panel or the viewer closes."""
        if self._panel is not None:
            self._panel = None
            self._worker.quit()
            self._let_go()
            self._forget()

    def join(self) -> None:
        """Wait for the end; an interpreter that leaves a worker is aborted by Qt."""
        self.abandon()
        limit = time.monotonic() + _GRACE_S
        while self._worker.is_running and time.monotonic() < limit:
            time.sleep(0.005)
        QThreadPool.globalInstance().waitForDone(100)
        _RUNNING.discard(self)

    def _let_go(self) -> None:
        """Release what the generator waits for; for children of this class."""

    def _relay(self, item: object) -> None:
        """Deliver in order, one at a time.

        Showing a layer or a notification may run the event loop, and with it this
        method and `_finish`, before it is done with an earlier item.
        """
        self._inbox.append(item)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._inbox and self._panel is not None:
                self._deliver(self._inbox.popleft())
        finally:
            self._delivering = False

    def _deliver(self, item: object) -> None:
        if isinstance(item, _Failure) and self._quiet:
            self.came.emit(item.text)
        elif isinstance(item, _Failure):
            self._fail(item.text)
        elif item is _END:
            self._panel = None
            self._forget()
            self.ended.emit(self._well and not self._worker.abort_requested)
        else:
            self.came.emit(item)

    def _fail(self, text: str) -> None:
        self._well = False
        if self._panel is not None:
            self._panel.fail(text)

    def _warn(self, arguments: tuple[Any, ...]) -> None:
        """Hand a warning on; superqt catches those of all threads, then drops them."""
        if issubclass(arguments[1], _SILENT):
            return
        self.warned.emit(str(arguments[0]))
        if not self._quiet:
            notification_manager.receive_warning(*arguments)

    def _broken(self, error: BaseException) -> None:
        """Tell of a fault of ours; napari shows the traceback itself."""
        self._well = False
        if self._panel is not None:
            self._panel.say(f"unexpected {type(error).__name__}; please report it")

    def _finish(self) -> None:
        # Not in the generator's "finally": that does not run when the worker quits.
        self._let_go()
        self._over = True
        self._relay(_END)
        self._forget()

    def _forget(self) -> None:
        """Need no keeping alive any more once worker and panel are gone."""
        if self._over and self._panel is None:
            _RUNNING.discard(self)


class _Failure:
    """What the user is told instead of a traceback."""

    def __init__(self, text: str) -> None:
        self.text = text


def _guarded(steps: Steps, title: str) -> Steps:
    """Turn what can happen at run time into a sentence.

    Among it `RuntimeError`, such as torch's lack of memory: superqt's worker would
    drop it without a signal.
    """

    @no_type_check  # a checker's wrapper would hide that it is a generator function
    def guarded() -> Iterator[Any]:
        try:
            yield from steps()
        except (LowDoseError, ValueError, OSError, MemoryError, RuntimeError) as error:
            yield _Failure(" ".join(str(error).split()) or type(error).__name__)

    # What napari calls the task when it asks whether to close the viewer.
    guarded.__qualname__ = title
    return guarded


def _worker(steps: Steps, title: str, *, quiet: bool) -> GeneratorWorker:
    """Make a worker; napari keeps each that it knows of until it is closed."""
    if quiet:
        return create_quiet_worker(
            steps, _start_thread=False, _worker_class=GeneratorWorker
        )
    return create_worker(steps, _start_thread=False, _progress={"desc": title})


@atexit.register
def abandon_all() -> None:
    """End all work, before the interpreter does."""
    for background in tuple(_RUNNING):
        background.join()
