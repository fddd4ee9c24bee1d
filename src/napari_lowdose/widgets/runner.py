"""Run a long job in the engine process, seen from a panel."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from napari.utils.notifications import show_warning
from qtpy.QtCore import QThreadPool, Signal

from napari_lowdose.jobs import Job, StackFile
from napari_lowdose.schema import checked
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background, abandon_all
from napari_lowdose.widgets.engine_process import ENGINE, EngineProcess, Message
from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.spare_engine import SpareEngine

_PROGRESS_S = 0.5

__all__ = ["EngineRun", "abandon_all", "job_of"]


class EngineRun(Background):
    """A job of the engine that a panel can pause, stop and watch.

    Parameters
    ----------
    prepare
        Writes the job into a folder, off the viewer's thread; gives the job's file.
    title, panel
        As for any work in the background.
    command
        Starts the engine.
    spare
        Where an engine may wait that was started ahead.

    Signals
    -------
    said
        Emitted with each event of the engine, as a mapping; arrays are loaded.
    """

    said = Signal(object)

    def __init__(
        self,
        prepare: Callable[[Path], Path],
        *,
        title: str,
        panel: Panel,
        command: Sequence[str] = ENGINE,
        spare: SpareEngine | None = None,
    ) -> None:
        self.process = EngineProcess(prepare, command=command, spare=spare)
        super().__init__(self.process.talk, title=title, panel=panel)
        self.came.connect(self._hear)
        self._stops = self._paused = False
        self._returned_thread = False
        self._told = float("-inf")

    def start(self) -> None:
        """Begin; the signals are to be connected before."""
        # The thread only listens to the engine: let the pool start another for it, or
        # two jobs would keep all workers of a small machine from running.
        QThreadPool.globalInstance().releaseThread()
        super().start()

    @property
    def stops(self) -> bool:
        """Whether it was asked to stop."""
        return self._stops

    @property
    def quiet(self) -> bool:
        """Whether it was asked to pause or to stop, so that progress is no news."""
        return self._stops or self._paused

    def stop(self) -> None:
        """Ask to end early and keep what there is."""
        self._stops = True
        self.process.send("stop")

    def pause(self, paused: bool) -> None:
        """Hold the job, or let it go on."""
        self._paused = paused
        self.process.send("pause" if paused else "resume")

    def skip(self, method: str) -> None:
        """Ask to leave a method of a comparison out; one at work ends the process."""
        self.process.send(f"skip {json.dumps(method)}")

    def cut_off(self) -> None:
        """End now, whatever the engine is at; what it said before counts."""
        self.process.cut_off()

    def look_at(self, frame: int) -> None:
        """Choose the frame that previews show."""
        self.process.send(f"frame {frame}")

    def _hear(self, messages: list[Message]) -> None:
        for message in messages:
            if message["event"] == "warning":
                show_warning(message["text"])
            if message["event"] == "progress" and self._too_soon(message):
                continue
            if message.get("total"):
                self.tell_progress(message["done"], message["total"])
            if self.running:
                self.said.emit(message)

    def _too_soon(self, progress: Message) -> bool:
        """Thin out progress: each repaint beside the canvas recomposes the window."""
        now, done = time.monotonic(), progress.get("done") == progress.get("total")
        if now - self._told < _PROGRESS_S and not done:
            return True
        self._told = now
        return False

    def _let_go(self) -> None:
        if not self._returned_thread:
            self._returned_thread = True
            QThreadPool.globalInstance().reserveThread()
        self.process.close()


def job_of(
    noisy: Stack,
    truth: Stack | None,
    *,
    estimate: Stack | Sequence[Stack] | None = None,
    **settings: object,
) -> Callable[[Path], Path]:
    """Give a function that writes a job and its stacks into a folder."""
    estimates = [estimate] if isinstance(estimate, Stack) else [*(estimate or ())]
    stacks = {
        "noisy": [noisy],
        "truth": [truth] if truth else [],
        "estimate": estimates,
    }

    def prepare(folder: Path) -> Path:
        content: dict[str, object] = {"folder": str(folder)}
        for name, some in stacks.items():
            stems = (f"{name}-{number}" if number else name for number in count())
            content[name] = tuple(
                StackFile.save(stack, folder, stem)
                for stack, stem in zip(some, stems, strict=False)
            )
        job = checked(Job, {**content, **settings})
        path = folder / "job.json"
        path.write_text(job.model_dump_json(), encoding="utf-8")
        return path

    return prepare
