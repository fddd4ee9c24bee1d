"""Show where the particles of a simulated movie truly are."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_lowdose.specimens import Scene
from napari_lowdose.widgets.layers import RECIPE, place_of_stack

EVENTS = "napari-lowdose events"  # where a layer's metadata keeps the table
_SEEN, _DARK = (1.0, 0.7, 0.2, 1.0), (0.6, 0.6, 0.6, 0.6)
_FEATURES = ["id", "radius", "amplitude", "visible"]
_BORDER_PX = 0.5


def particles_data(scene: Scene) -> tuple[Any, ...]:
    """Describe particles as napari wants it: circles of their size, grey where dark.

    Events are kept in the layer's metadata.
    """
    particles, stack = scene.particles, scene.stack
    seen = particles[["visible"]].to_numpy(bool)
    options = {
        "name": f"{stack.name} particles",
        "size": 2 * particles["radius"].to_numpy(),
        "features": particles[_FEATURES],
        "face_color": "transparent",
        "border_color": np.where(seen, _SEEN, _DARK),
        "border_width": _BORDER_PX,
        "border_width_is_relative": False,
        "metadata": {RECIPE: stack.recipe, EVENTS: scene.events},
        **place_of_stack(stack),
    }
    return particles[["frame", "y", "x"]].to_numpy(float), options, "points"


def add_particles(viewer: ViewerModel, scene: Scene) -> Layer | None:
    """Show the particles of a movie as a layer, if it has any."""
    if scene.particles.empty:
        return None
    return viewer.add_layer(Layer.create(*particles_data(scene)))
