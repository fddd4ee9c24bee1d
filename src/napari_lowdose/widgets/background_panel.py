"""The common part of panels whose work takes some seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel

from napari_lowdose.widgets.background import Background, Steps
from napari_lowdose.widgets.panel import Panel, Section, button
from napari_lowdose.widgets.progress_bar import ProgressBar


class BackgroundPanel(Panel):
    """A button that stops the work, and a bar that tells that there is some.

    Parameters
    ----------
    viewer
        Where results go.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer)
        self.stop = button("Stop", "End without a result", enabled=False)
        self.progress = ProgressBar()
        self._work: Background | None = None
        self.stop.clicked.connect(self._stop)

    @property
    def idle(self) -> bool:
        """Whether no work of this panel goes on."""
        return self._work is None

    def show_status_in(self, section: Section) -> None:
        """Move the status line up; at the end of a long panel nobody would see it."""
        self.status.setContentsMargins(0, 2, 0, 0)
        section.rows.addRow(self.status)

    def launch(self, steps: Steps, hear: Callable[[Any], None], *, title: str) -> None:
        """Start work; what it yields comes to `hear`, but for texts, which are said."""
        work = Background(steps, title=title, panel=self)
        work.came.connect(
            lambda item: self.say(item) if isinstance(item, str) else hear(item)
        )
        work.ended.connect(self._end)
        self._work = work
        self.progress.follow({})
        self.set_ready()
        work.start()

    def set_ready(self) -> None:
        """Enable what can be clicked now; children add their own buttons."""
        self.stop.setEnabled(not self.idle)

    def _stop(self, _checked: bool = False) -> None:
        """Let go of the work: its thread ends at its next step, and is not heard."""
        if self._work is not None:
            self._work.abandon()
            self.say("stopped")
            self._end(False)

    def _end(self, _well: bool) -> None:
        self._work = None
        self.progress.rest()
        self.set_ready()
