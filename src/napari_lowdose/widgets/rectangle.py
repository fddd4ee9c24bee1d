"""A rectangle on all layers of a comparison, that the mouse moves and resizes."""

from __future__ import annotations

from functools import partial

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy import ndarray
from qtpy.QtCore import QObject, Signal

from napari_lowdose.widgets.grab import Drag, Grab
from napari_lowdose.widgets.marks import Place
from napari_lowdose.widgets.outline import Outline

_LEAST_PX = 2.0


class Rectangle(QObject):
    """Rows and columns of a movie, dragged at edges, corners or from inside.

    Parameters
    ----------
    viewer
        Drawn in all its pictures of that shape.
    like
        The layer in whose pixels it lies.
    corners
        The least and the largest row and column to begin with.

    Signals
    -------
    moved
        Emitted while it is dragged.
    """

    moved = Signal()

    def __init__(self, viewer: ViewerModel, like: Image, corners: ndarray) -> None:
        super().__init__()
        self._viewer, self._like = viewer, like
        self._outline = Outline()
        self._grab = Grab(viewer, like, take=self._take)
        self.corners = np.asarray(corners, dtype=float)
        viewer.layers.events.inserted.connect(self._draw)
        viewer.layers.events.removed.connect(self._draw)
        self._draw()

    def remove(self) -> None:
        """Take it away, and leave the mouse to the camera."""
        self._viewer.layers.events.inserted.disconnect(self._draw)
        self._viewer.layers.events.removed.disconnect(self._draw)
        self._grab.leave()
        self._outline.remove()

    def move_to(self, corners: ndarray) -> None:
        """Let it lie elsewhere, on the edges of pixels, within the movie."""
        largest = np.array(self._like.data.shape[-2:]) - 0.5
        snapped = np.clip(np.round(np.sort(corners, axis=0) - 0.5) + 0.5, -0.5, largest)
        if (np.diff(snapped, axis=0) >= _LEAST_PX).all():
            self.corners = snapped
            self._draw()
            self.moved.emit()

    def _draw(self, _event: object = None) -> None:
        shape = self._like.data.shape[-2:]
        same = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and layer.data.shape[-2:] == shape
        ]
        self._outline.draw(same, self.corners)

    def _take(self, place: Place, reach: float, _shift: bool) -> Drag | None:
        """Take hold of the nearest edges, or of all of it from inside."""
        point = np.asarray(place)
        off = np.abs(self.corners - point)
        inside = (point > self.corners[0] - reach) & (point < self.corners[1] + reach)
        if not inside.all():
            return None
        held = (off <= reach) & (off == off.min(axis=0))  # (least or largest, y or x)
        if not held.any():
            held[:] = True
        return partial(self._follow, self.corners.copy(), point, held)

    def _follow(
        self, corners: ndarray, start: ndarray, held: ndarray, place: Place
    ) -> None:
        step = np.asarray(place) - start
        if held.all():  # keep its size at the rim of the movie
            room = np.array(self._like.data.shape[-2:]) - 0.5
            step = np.clip(step, -0.5 - corners[0], room - corners[1])
        self.move_to(corners + np.where(held, step, 0.0))
