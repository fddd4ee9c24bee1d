"""The common part of panels that run a long job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QPushButton

from napari_lowdose.widgets.panel import Panel, button
from napari_lowdose.widgets.progress_bar import ProgressBar
from napari_lowdose.widgets.runner import EngineRun
from napari_lowdose.widgets.spare_engine import SPARE

_SPARE_MS = 500  # after which an engine is started ahead: the panel opens first


class EnginePanel(Panel):
    """A button that starts a job, one that stops it, and a bar between.

    Parameters
    ----------
    viewer
        Where results go.
    go
        The button that starts.
    stop_tooltip
        What stopping does.
    """

    def __init__(self, viewer: ViewerModel, go: QPushButton, stop_tooltip: str) -> None:
        super().__init__(viewer)
        self.run: EngineRun | None = None
        self.go = go
        self.stop = button("Stop", stop_tooltip, enabled=False)
        self.progress = ProgressBar()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SPARE_MS)
        self._soon.timeout.connect(self._have_spare)
        self.closed.connect(self._soon.stop)
        self.stop.clicked.connect(self._stop)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Have an engine ready as soon as somebody sees the panel."""
        super().showEvent(event)
        self._soon.start()

    def _have_spare(self) -> None:
        if not self.running:  # it would take the job's time; the end comes back here
            SPARE.serve(self)

    @property
    def running(self) -> bool:
        """Whether a job of this panel goes on."""
        return self.run is not None and self.run.running

    def launch(self, prepare: Callable[[Path], Path], title: str) -> None:
        """Start a job; what it says comes to `hear`, its end to `finish`."""
        self.run = EngineRun(prepare, title=title, panel=self, spare=SPARE)
        self.run.said.connect(self._hear)
        self.run.ended.connect(self._end)
        self.progress.follow({})
        self.say("starting …")
        self.run.start()
        self.set_ready()

    def hear(self, message: dict[str, Any]) -> None:
        """Take in an event of the job; for children of this class."""

    def finish(self, well: bool) -> None:
        """Settle after the job; for children of this class."""

    def set_ready(self) -> None:
        """Enable what can be clicked now."""
        self.go.setEnabled(not self.running and self.can_start())
        self.stop.setEnabled(self.running)

    def can_start(self) -> bool:
        """Tell whether all is chosen that a job needs; for children of this class."""
        return True

    def _hear(self, message: dict[str, Any]) -> None:
        if message["event"] == "progress":
            self.progress.follow(message)
            if self.run is not None and not self.run.quiet:
                self.say(f"{message['text']} …")
        with self.reporting():
            self.hear(message)

    def _stop(self, _checked: bool = False) -> None:
        if self.run is not None:
            self.run.stop()
        self.stop.setEnabled(False)
        self.say("stopping …")

    def _end(self, well: bool) -> None:
        self.progress.rest()
        with self.reporting():
            self.finish(well)
        self.set_ready()
        if self.isVisible():
            self._soon.start()
