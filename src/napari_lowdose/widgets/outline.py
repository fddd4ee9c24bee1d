"""A box drawn on layers, in each of their views, without a layer of its own."""

from __future__ import annotations

from collections.abc import Iterable

from napari.components.overlays import SelectionBoxOverlay
from napari.layers import Layer
from numpy import ndarray

_KEY = "napari-lowdose"


class Outline:
    """Draws one box on many layers.

    A layer of shapes would not do: a grid gives it a box of its own, where there is
    nothing to be seen, and its first one takes seconds to load. The overlays of a layer
    have no public name in napari 0.9; nothing else here knows of them.

    Parameters
    ----------
    name
        Of the box, unlike that of others on the same layers.
    handles
        Whether to show where it can be dragged.
    """

    def __init__(self, name: str = "region", *, handles: bool = True) -> None:
        self._key = f"{_KEY} {name}"
        self._handles = handles
        self._drawn: list[Layer] = []

    def draw(self, layers: Iterable[Layer], corners: ndarray) -> None:
        """Draw the box on these layers, and on no others.

        Parameters
        ----------
        layers
            Drawn where they are visible.
        corners
            The least and the largest row and column, in pixels of the layers.
        """
        low, high = (tuple(map(float, corner)) for corner in corners)
        layers = [*layers]
        for layer in self._drawn:
            if layer not in layers:
                layer._overlays.pop(self._key, None)
        self._drawn = layers
        for layer in layers:
            overlay = layer._overlays.get(self._key)
            if overlay is None:
                overlay = SelectionBoxOverlay(handles=self._handles, visible=True)
                overlay.bounds = (low, high)
                layer._overlays[self._key] = overlay
            overlay.bounds = (low, high)

    def remove(self) -> None:
        """Take the box away."""
        for layer in self._drawn:
            layer._overlays.pop(self._key, None)
        self._drawn = []
