"""Choose a layer that holds a stack."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer

from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.layers import recipe_of

# Steps of a recipe whose result is no recorded movie any more.
_MADE = ("denoise", "inspect", "null test", "difference")


class LayerChoice(Choice):
    """List the image layers; integer files that became labels count as well.

    magicgui's layer combo is not used: inside another widget it misses new layers.

    Parameters
    ----------
    viewer
        Whose layers to list.
    none
        Words for choosing no layer; empty: one must be chosen.
    """

    def __init__(self, viewer: ViewerModel, none: str = "") -> None:
        super().__init__()
        self._viewer = viewer
        self._none = none
        self.follow()

    @property
    def layer(self) -> Layer | None:
        """The chosen layer, if any."""
        return self.value

    def follow(self) -> None:
        """Bring the list up to date.

        If none was chosen it is the top layer; one that we made of another layer only
        where there are no others.
        """
        layers: list[Layer | None] = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image | Labels) and layer.ndim >= 3
        ]
        names = [layer.name for layer in layers if layer]
        recorded = [layer for layer in layers if layer and not _is_made(layer)]
        prefer = None if self._none else next(reversed(recorded or layers), None)
        if self._none:
            layers, names = [None, *layers], [self._none, *names]
        self.offer(layers, names, prefer=prefer)


def _is_made(layer: Layer) -> bool:
    """Tell whether a layer is a denoised movie, or a map of one."""
    return any(step.get("step") in _MADE for step in recipe_of(layer.metadata))
