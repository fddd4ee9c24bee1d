"""One contrast for all results of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.components import ViewerModel
from napari.experimental import link_layers, unlink_layers
from napari.layers import Image

from napari_lowdose.widgets.layers import Limits, contrast_limits, limits_of

ATTRIBUTES = ("contrast_limits", "gamma", "colormap")


class Linked:
    """Layers whose contrast and colours follow one another.

    Parameters
    ----------
    viewer
        Where the layers are; one that is removed is let go first, as a link would keep
        its counts in memory.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[Image] = []
        self._suited: tuple[Image, Limits] | None = None
        viewer.layers.events.removing.connect(self._let_go)

    def keep(self, layers: Sequence[Image]) -> None:
        """Link these layers and no others; the first sets the contrast of new ones."""
        if [*layers] == self._layers:
            return
        self._unlink()
        self._layers = [*layers]
        if len(layers) > 1:
            for layer in layers[1:]:
                for name in ATTRIBUTES:
                    setattr(layer, name, getattr(layers[0], name))
            link_layers(self._layers, ATTRIBUTES)

    def suit(self, layer: Image) -> None:
        """Choose the contrast that suits one of them, once, unless the user has."""
        if self._suited is not None and self._suited[0] is layer:
            return
        if self._suited is None or self._suited[1] == limits_of(layer):
            layer.contrast_limits = contrast_limits(layer.data)
            self._suited = layer, limits_of(layer)

    def leave(self) -> None:
        """Link nothing any more."""
        self._unlink()
        self._layers, self._suited = [], None

    def _unlink(self) -> None:
        if len(self._layers) > 1:
            unlink_layers(self._layers, ATTRIBUTES)

    def _let_go(self, event: Any) -> None:  # noqa: ANN401 - napari's event
        layer = self._viewer.layers[event.index]
        if layer in self._layers:
            self.keep([one for one in self._layers if one is not layer])
        if self._suited is not None and self._suited[0] is layer:
            self._suited = None
