"""A row and a column marked in all pictures of a movie."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image

from napari_lowdose.widgets.outline import Outline


class Cross:
    """Two lines that cross in one pixel, in each box of a grid too.

    Parameters
    ----------
    viewer
        Drawn on all its images of that shape, also on those to come.
    like
        The layer in whose pixels the cross lies.
    """

    def __init__(self, viewer: ViewerModel, like: Image) -> None:
        self._viewer, self._like = viewer, like
        # A box without height or width is a line.
        self._lines = Outline("row", handles=False), Outline("column", handles=False)
        self._place = 0, 0
        viewer.layers.events.inserted.connect(self._draw)
        viewer.layers.events.removed.connect(self._draw)

    def move_to(self, row: int, column: int) -> None:
        """Mark another row and column."""
        self._place = row, column
        self._draw()

    def remove(self) -> None:
        """Take the lines away."""
        self._viewer.layers.events.inserted.disconnect(self._draw)
        self._viewer.layers.events.removed.disconnect(self._draw)
        for line in self._lines:
            line.remove()

    def _draw(self, _event: object = None) -> None:
        shape = self._like.data.shape
        same = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and layer.data.shape == shape
        ]
        row, column = self._place
        bottom, right = (length - 0.5 for length in shape[-2:])
        ends = ((row, -0.5), (row, right)), ((-0.5, column), (bottom, column))
        for line, corners in zip(self._lines, ends, strict=True):
            line.draw(same, np.asarray(corners, float))
