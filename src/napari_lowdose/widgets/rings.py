"""Coloured rings around the particles of a movie, in the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool
from napari.components import ViewerModel
from napari.layers import Layer, Points
from numpy import ndarray

from napari_lowdose.trust.decisions import Decision
from napari_lowdose.widgets.layers import place_of
from napari_lowdose.widgets.verdicts import colours_of, ring_radius

_FEATURES = ("p_phantom", "verdict", "p_held_out", "support", "track")
_BORDER, _PICKED = 0.07, 0.15  # as shares of the ring's diameter
_LEAST_ZOOM = 3.0  # canvas pixels for a pixel of the movie
_DIGITS = 3


class Rings:
    """One ring per particle and frame; hovering tells its score, a click picks it.

    Parameters
    ----------
    viewer
        Where to show them.
    like
        The noisy layer.
    particles
        frame, y, x, sigma (pixels), verdict and the scores.
    decisions
        What the user thinks of each.
    pick
        Called with the number of a particle whose ring is clicked.
    decide
        Called with a decision when its key is pressed on the canvas.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        like: Layer,
        particles: pd.DataFrame,
        decisions: Iterable[Decision],
        *,
        pick: Callable[[int], None],
        decide: Callable[[Decision, bool], None],
    ) -> None:
        self._viewer = viewer
        self._like = like
        self._pick = pick
        self._picked: int | None = None
        self._places = particles[["frame", "y", "x"]].to_numpy(float)
        self._layer = self._added(particles, decisions)
        self._bind_keys(decide)
        viewer.mouse_drag_callbacks.append(self._follow_click)

    def _added(self, particles: pd.DataFrame, decisions: Iterable[Decision]) -> Points:
        layer = self._viewer.add_points(
            self._places,
            name=f"{self._like.name} rings",
            size=[2 * ring_radius(sigma) for sigma in particles["sigma"]],
            features=_features(particles, decisions),
            face_color="transparent",
            border_color=colours_of(particles["verdict"].to_numpy(object)),
            border_width=_BORDER,
            **place_of(self._like),
        )
        # Not to be dragged or deleted by a slip of the hand.
        layer.editable = False
        return layer

    @property
    def layer(self) -> Points | None:
        """The layer of the rings; None once the user has removed it."""
        return self._layer if self._layer in self._viewer.layers else None

    def show_only(self, mask: Bool[ndarray, " n"]) -> None:
        """Hide the rings of some particles."""
        if self.layer is not None and not np.array_equal(self._layer.shown, mask):
            self._layer.shown = mask

    def mark(self, number: int) -> None:
        """Draw the ring of one particle bold."""
        self._picked = number
        if self.layer is not None:
            widths = np.full(len(self._places), _BORDER)
            widths[number] = _PICKED
            self._layer.border_width = widths

    def write_decisions(self, decisions: Iterable[Decision]) -> None:
        """Keep with the layer what the user thinks of each particle."""
        if self.layer is not None:
            features = self._layer.features
            features["decision"] = [str(decision) for decision in decisions]
            self._layer.features = features

    def go_to(self, number: int) -> None:
        """Show a particle's frame, with the particle in the middle."""
        frame, y, x = self._places[number]
        self.show_frame(frame)
        point = self._like.data_to_world((frame, y, x))
        camera = self._viewer.scene.camera
        camera.center = (*camera.center[:-2], *point[-2:])
        camera.zoom = max(camera.zoom, _LEAST_ZOOM / float(self._like.scale[-1]))

    def show_frame(self, frame: float) -> None:
        """Go to a frame of the movie."""
        axis = self._viewer.dims.ndim - self._like.ndim
        if axis >= 0:
            point = self._like.data_to_world((frame, *[0] * (self._like.ndim - 1)))
            self._viewer.dims.set_point(axis, point[0])

    def leave(self) -> None:
        """Take no clicks any more; the layer stays."""
        if self._follow_click in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._follow_click)
        for key in _KEYS:
            self._layer.bind_key(key, None)

    def remove(self) -> None:
        """Take the layer away."""
        self.leave()
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)

    def _follow_click(self, _viewer: ViewerModel, event: Any) -> Iterator[None]:  # noqa: ANN401 - napari's event
        """Pick the ring under a click; a drag moves the camera as ever."""
        if not self._listens():
            return
        yield
        dragged = False
        while event.type == "mouse_move":
            dragged = True
            yield
        number = None if dragged else self._number_at(event)
        if number is not None:
            self._pick(number)

    def _listens(self) -> bool:
        """Whether a click is meant for a ring, and not for some tool."""
        active = self._viewer.layers.selection.active
        free = active is None or str(active.mode) in ("pan_zoom", "transform")
        return free and self.layer is not None and self._layer.visible

    def _number_at(self, event: Any) -> int | None:  # noqa: ANN401 - napari's event
        number = self._layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        return None if number is None else int(number)

    def _bind_keys(self, decide: Callable[[Decision, bool], None]) -> None:
        for key, (decision, whole) in _KEYS.items():
            self._layer.bind_key(key, _pressed(decide, decision, whole))


_KEYS = {
    f"{shift}{letter}": (decision, bool(shift))
    for letter, decision in (
        ("K", Decision.KEEP),
        ("R", Decision.REJECT),
        ("U", Decision.UNDECIDED),
    )
    for shift in ("", "Shift-")
}


def _pressed(
    decide: Callable[[Decision, bool], None], decision: Decision, whole: bool
) -> Callable[[Points], None]:
    return lambda _layer: decide(decision, whole)


def _features(particles: pd.DataFrame, decisions: Iterable[Decision]) -> pd.DataFrame:
    """Choose what the status bar tells of a ring."""
    known = [name for name in _FEATURES if name in particles]
    features = particles[known].reset_index(drop=True).round(_DIGITS)
    features["decision"] = [str(decision) for decision in decisions]
    return features
