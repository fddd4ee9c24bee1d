"""Work of which only the newest is wanted, beside the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.panel import Panel


class Latest(QObject):
    """Do one thing at a time; of what is asked for meanwhile, do the last only.

    Parameters
    ----------
    owner
        A widget inside a panel, whose closing ends the work. Outside of any panel, the
        work is done at once.

    Signals
    -------
    came
        Emitted with what the work gave; a sentence where it failed.
    """

    came = Signal(object)

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._next: Callable[[], object] | None = None
        self._work: Background | None = None

    @property
    def settled(self) -> bool:
        """Whether all that was asked for is done."""
        return self._next is None and self._work is None

    def ask(self, make: Callable[[], object]) -> None:
        """Do this as soon as possible; it may touch neither layers nor widgets."""
        panel = panel_of(self._owner)
        if panel is None:
            self.came.emit(make())
            return
        self._next = make
        if self._work is None:
            self._begin(panel)

    def _begin(self, panel: Panel) -> None:
        make, self._next = self._next, None
        if make is None:
            return
        steps = partial(_made, make)
        self._work = Background(steps, title="Looking", panel=panel, quiet=True)
        self._work.came.connect(self.came)
        self._work.ended.connect(self._end)
        self._work.start()

    def _end(self, _well: bool) -> None:
        self._work = None
        panel = panel_of(self._owner)
        if panel is not None:
            self._begin(panel)


def panel_of(widget: QWidget) -> Panel | None:
    """Find the panel that a widget is in."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, Panel):
        parent = parent.parentWidget()
    return parent


def _made(make: Callable[[], object]) -> Iterator[object]:
    yield make()
