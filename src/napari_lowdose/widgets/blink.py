"""Two results in turn, in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

KEY = "B"


class Blink(QTimer):
    """Show one layer, then the other, and again; by itself, or at each key press.

    Parameters
    ----------
    viewer
        Whose key it takes.
    first, second
        The layers.
    parent
        With which the timer ends.
    show
        Called with the layer to show instead of the other.

    Signals
    -------
    held
        Emitted when the key is pressed: the hand has taken over.
    """

    held = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        first: Image,
        second: Image,
        *,
        parent: QObject,
        show: Callable[[Image], None],
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.layers = (first, second)
        self._show = show
        self._second = False
        self._before = viewer.bind_key(KEY, self._press, overwrite=True)
        self.timeout.connect(self.toggle)

    @property
    def current(self) -> Image:
        """The layer that is shown now."""
        return self.layers[self._second]

    def set_rate(self, hertz: float) -> None:
        """Show so many pictures in a second; 0 waits for the key."""
        if hertz > 0:
            self.start(round(1000 / hertz))
        else:
            self.stop()

    def toggle(self) -> None:
        """Show the other layer."""
        self._second = not self._second
        if all(layer in self._viewer.layers for layer in self.layers):
            self._show(self.current)
        else:
            self.stop()

    def leave(self) -> None:
        """Stop, and give the key back."""
        self.stop()
        self._viewer.bind_key(KEY, self._before, overwrite=True)

    def _press(self, _viewer: Any) -> None:  # noqa: ANN401 - the viewer
        self.stop()
        self.held.emit()
        self.toggle()
