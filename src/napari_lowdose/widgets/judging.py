"""Keep what the user decides on particles, for this session and later ones."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.stack import Stack
from napari_lowdose.trust.decisions import Decision, decided, fingerprint, remember

_SAVE_MS = 400  # after the last decision of a quick row of them


class Judging(QTimer):
    """Save decisions soon after they were made, many at once.

    Signals
    -------
    failed
        Emitted with a sentence when they cannot be saved; they are tried again.
    """

    failed = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSingleShot(True)
        self.setInterval(_SAVE_MS)
        self.timeout.connect(self.save)
        self._stack_id = ""
        self._particles = pd.DataFrame()
        self._unsaved: dict[int, Decision] = {}

    def recall(self, particles: pd.DataFrame, stack: Stack) -> list[Decision]:
        """Turn to another stack; find what was decided on its particles before."""
        self.save()
        self._stack_id, self._particles = fingerprint(stack), particles
        self._unsaved = {}
        return decided(particles, self._stack_id)

    def note(self, numbers: Iterable[int], decision: Decision) -> None:
        """Take in a decision on some particles."""
        self._unsaved.update(dict.fromkeys(numbers, decision))
        self.start()

    def save(self) -> None:
        """Write what is not yet written."""
        self.stop()
        if not self._unsaved:
            return
        places = self._particles.iloc[[*self._unsaved]][["frame", "y", "x"]]
        changes = places.assign(decision=[*self._unsaved.values()])
        try:
            remember(changes, self._stack_id)
        except UnwritableFile as error:
            self.failed.emit(str(error))
        else:
            self._unsaved = {}
