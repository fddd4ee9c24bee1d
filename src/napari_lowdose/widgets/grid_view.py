"""Results side by side: one box each, in one contrast, with their names."""

from __future__ import annotations

from collections.abc import Sequence

from napari.components import ViewerModel
from napari.experimental import link_layers
from napari.layers import Image

from napari_lowdose.widgets.aside import Aside
from napari_lowdose.widgets.layers import Limits
from napari_lowdose.widgets.linked import ATTRIBUTES


def show_side_by_side(
    viewer: ViewerModel, layers: Sequence[Image], *, limits: Limits | None = None
) -> None:
    """Give each layer a box of its own; they share contrast, camera and frame.

    For a viewer that shows nothing else: other layers are hidden for good.

    Parameters
    ----------
    viewer
        Where the layers are.
    layers
        What to show.
    limits
        Counts shown black and white in all of them.
    """
    if len(layers) > 1:
        link_layers(layers, ATTRIBUTES)
    if layers and limits is not None:
        layers[0].contrast_limits = limits
    Aside(viewer).show_only(layers, grid=True)
