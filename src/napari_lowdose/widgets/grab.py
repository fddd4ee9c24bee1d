"""What the mouse can take hold of on the canvas, whichever layer is active."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_lowdose.widgets.marks import Place

Drag = Callable[[Place], None]
"""Takes the place of the mouse, in pixels of the movie, at each of its moves."""

_REACH_PX = 8.0  # on the canvas, how far from a line one may click


class Grab:
    """Let the mouse drag and click; what it does not take hold of moves the camera.

    Parameters
    ----------
    viewer
        On whose canvas.
    like
        The layer in whose pixels places are told.
    take
        Called with the place of a press, how far it may be off, in pixels, and whether
        Shift is held; gives what to do during the drag, or None.
    click
        Called with the place of a click that was no drag.
    hover
        Called with the place of the mouse while Shift is held and no button.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        like: Layer,
        *,
        take: Callable[[Place, float, bool], Drag | None] | None = None,
        click: Callable[[Place], None] | None = None,
        hover: Callable[[Place], None] | None = None,
    ) -> None:
        self._viewer = viewer
        self._like = like
        self._take = take
        self._click = click
        self._hover = hover
        viewer.mouse_drag_callbacks.append(self._follow_drag)
        viewer.mouse_move_callbacks.append(self._follow_move)

    def leave(self) -> None:
        """Leave the mouse to the camera."""
        callbacks = self._viewer.mouse_drag_callbacks
        if self._follow_drag in callbacks:
            callbacks.remove(self._follow_drag)
        callbacks = self._viewer.mouse_move_callbacks
        if self._follow_move in callbacks:
            callbacks.remove(self._follow_move)

    def _follow_drag(self, _viewer: ViewerModel, event: Any) -> Iterator[None]:  # noqa: ANN401 - napari's event
        if not self._is_free() or event.button != 1 or "Alt" in event.modifiers:
            return
        drag = self._taken(event)
        event.handled = drag is not None
        yield
        moved = False
        while event.type == "mouse_move":
            moved = True
            if drag is not None:
                event.handled = True
                drag(self._place(event))
            yield
        if moved and drag is not None:
            drag(self._place(event))  # the last moves may have been left out
        elif not moved and self._click is not None:
            self._click(self._place(event))

    def _taken(self, event: Any) -> Drag | None:  # noqa: ANN401 - napari's event
        if self._take is None:
            return None
        zoom = float(self._viewer.scene.camera.zoom)
        reach = _REACH_PX / (zoom * float(np.abs(self._like.scale[-2:]).mean()))
        return self._take(self._place(event), reach, "Shift" in event.modifiers)

    def _follow_move(self, _viewer: ViewerModel, event: Any) -> None:  # noqa: ANN401 - napari's event
        held = "Shift" in event.modifiers and not event.is_dragging
        if self._hover is not None and held and self._is_free():
            self._hover(self._place(event))

    def _is_free(self) -> bool:
        """Whether the mouse is not used by a tool, in a view of flat frames."""
        active = self._viewer.layers.selection.active
        idle = active is None or str(active.mode) in ("pan_zoom", "transform")
        return idle and self._viewer.dims.ndisplay == 2 and self._like_is_there()

    def _like_is_there(self) -> bool:
        return self._like in self._viewer.layers

    def _place(self, event: Any) -> Place:  # noqa: ANN401 - napari's event
        point = self._like.world_to_data(event.position[-self._like.ndim :])
        return float(point[-2]), float(point[-1])
