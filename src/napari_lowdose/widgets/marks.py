"""Thin lines over a movie, in all its frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Vectors

Place = tuple[float, float]  # row and column
Segment = tuple[Place, Place]  # both ends

_MARK = "napari-lowdose mark"  # in the metadata of our own layers
_THICK_PX = 2.0  # on the canvas


def is_mark(layer: Layer) -> bool:
    """Tell whether a layer holds marks for whatever is shown below them."""
    return bool(layer.metadata.get(_MARK))


class Marks:
    """Straight lines in the pixels of a layer, as thick at any zoom.

    Parameters
    ----------
    viewer
        Where to draw.
    like
        The layer in whose pixels the lines are told.
    name, colour
        Of the layer of the lines.
    own
        Whether they belong to this layer only, and not to whatever is shown.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        like: Layer,
        *,
        name: str,
        colour: str,
        own: bool = False,
    ) -> None:
        self._viewer = viewer
        active = viewer.layers.selection.active
        self._layer = Vectors(
            np.zeros((1, 2, 2)),
            name=name,
            edge_color=colour,
            vector_style="line",
            opacity=1.0,
            metadata={_MARK: not own},
            visible=not viewer.canvas.grid.enabled,
            **_place_in_frames(like),
        )
        viewer.add_layer(self._layer)
        # The layer that the user works on stays the active one.
        viewer.layers.selection.active = active
        viewer.scene.camera.events.zoom.connect(self._fit_thickness)
        self._fit_thickness()

    @property
    def layer(self) -> Vectors | None:
        """The lines; None once the user has removed them."""
        return self._layer if self._layer in self._viewer.layers else None

    def draw(self, segments: Sequence[Segment]) -> None:
        """Draw other lines instead."""
        if self.layer is not None:
            ends = np.asarray(segments, float)
            ends[:, 1] -= ends[:, 0]  # a vector is told by its start and its length
            self._layer.data = ends

    def pixels(self, on_canvas: float) -> float:
        """Convert a length on the canvas to pixels of the movie."""
        zoom = float(self._viewer.scene.camera.zoom)
        return on_canvas / (zoom * float(np.abs(self._layer.scale).mean()))

    def remove(self) -> None:
        """Take the lines away."""
        self._viewer.scene.camera.events.zoom.disconnect(self._fit_thickness)
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)

    def _fit_thickness(self, _event: object = None) -> None:
        if self.layer is not None:
            self._layer.edge_width = self.pixels(_THICK_PX)


def _place_in_frames(layer: Layer) -> dict[str, Any]:
    """Tell where the frames of a layer lie, for a layer without time.

    With their units: one layer with others switches units off for the viewer.
    """
    return {
        "scale": layer.scale[-2:],
        "translate": layer.translate[-2:],
        "rotate": layer.rotate[-2:, -2:],
        "shear": layer.shear[-1:],  # of the upper triangle
        "affine": layer.affine.set_slice([-2, -1]),
        "units": layer.units[-2:],
        "axis_labels": layer.axis_labels[-2:],
    }
