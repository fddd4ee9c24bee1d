"""Choose a region of a layer: what the viewer shows of it, or a drawn rectangle."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy import ndarray
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_lowdose.compare.region import Region
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.layers import visible_frame
from napari_lowdose.widgets.rectangle import Rectangle

_LOOK_MS = 200  # between two looks at what is visible


class Part(StrEnum):
    """Which part of a movie."""

    WHOLE = "whole movie"
    VISIBLE = "visible region"
    RECTANGLE = "rectangle"


class RegionChoice(QWidget):
    """Two combo boxes: which part of each frame, and which frames.

    The rectangle is drawn on all layers, also in a grid, and the mouse drags it.

    Parameters
    ----------
    viewer
        Its camera, frame and layers are followed.

    Signals
    -------
    changed
        Emitted when the region may be another one; often, while something is dragged.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer: Image | None = None
        self._rectangle: Rectangle | None = None
        self._seen: list[object] = []
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._look_again)
        self.part, self.frames = Choice(), Choice()
        self.part.offer([*Part], [str(part) for part in Part])
        self.part.setToolTip(
            "Score the whole movie; or what you see of the frame, or a rectangle that "
            "you drag, live"
        )
        self.frames.offer([False, True], ["this frame", "all frames"])
        self.frames.setToolTip("All frames of a large movie take a while")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.part, 1)
        row.addWidget(self.frames, 1)
        self.part.chosen.connect(self._choose)
        self.frames.chosen.connect(self.changed)
        self._wire()
        self._choose()

    def _wire(self) -> None:
        viewer = self._viewer
        for emitter in (
            viewer.scene.camera.events.center,
            viewer.scene.camera.events.zoom,
            viewer.canvas.grid.events.enabled,
            viewer.dims.events.ndisplay,
        ):
            emitter.connect(self._move)
        viewer.dims.events.current_step.connect(self._change_frame)

    def follow(self, layer: Image | None) -> None:
        """Choose regions of another layer; None: of nothing."""
        if layer is self._layer:
            return
        self._layer = layer
        self._choose()

    @property
    def whole(self) -> bool:
        """Whether all of the movie is chosen."""
        return self.part.value is Part.WHOLE

    @property
    def region(self) -> Region | None:
        """The chosen part; None for the whole movie.

        Raises
        ------
        ValueError
            If there is none, or it is too small, in one sentence.
        """
        layer = self._layer
        if self.whole or layer is None:
            return None
        corners = self._corners(layer)
        frame = None if self.frames.value else visible_frame(self._viewer, layer)
        data = layer.data[0] if layer.multiscale else layer.data
        frames, rows, columns = data.shape
        (top, left), (bottom, right) = corners
        return Region.within(
            (frames, rows, columns),
            frame=frame,
            rows=(float(top), float(bottom)),
            columns=(float(left), float(right)),
        )

    def _corners(self, layer: Image) -> ndarray:
        """Find two opposite corners (y, x) in pixels of the layer."""
        if self._rectangle is not None:
            return self._rectangle.corners
        dims = self._viewer.dims
        if dims.ndisplay != 2 or [*dims.displayed] != [*range(dims.ndim)][-2:]:
            raise ValueError("show y and x of a frame, in 2-D, to score what you see")
        # As they were when the frame was drawn last; in a grid all boxes show the same.
        seen = np.array(layer.corner_pixels, dtype=float)[:, -2:]
        if layer.multiscale:
            seen *= layer.downsample_factors[layer.data_level][-2:]
        return seen + np.array([[-0.5], [0.5]])  # from indices to edges of pixels

    def leave(self) -> None:
        """Take the rectangle away; the panel closes."""
        self._look.stop()
        if self._rectangle is not None:
            self._rectangle.remove()
            self._rectangle = None

    def _choose(self) -> None:
        self.leave()
        self.frames.setVisible(not self.whole)
        if self.part.value is Part.VISIBLE:
            self._look.start()
        if self.part.value is Part.RECTANGLE and self._layer is not None:
            self._rectangle = self._drawn(self._layer)
            self._rectangle.moved.connect(self.changed)
        self.changed.emit()

    def _drawn(self, layer: Image) -> Rectangle:
        """Draw a rectangle in the middle of what is visible."""
        low, high = np.array(layer.corner_pixels, dtype=float)[:, -2:]
        if not (high > low).all():
            low, high = np.zeros(2), np.array(layer.data.shape[-2:], dtype=float)
        margin = (high - low) / 4
        box = np.round(np.stack([low + margin, high - margin])) - 0.5
        return Rectangle(self._viewer, layer, box)

    def _move(self, _event: object = None) -> None:
        if not self.whole:
            self.changed.emit()

    def _look_again(self) -> None:
        """Follow what no event tells of: the canvas's size, and when it was drawn."""
        if self._layer is None or not self.isVisible():
            return
        seen = self._layer.corner_pixels.tolist()
        if seen != self._seen:
            self._seen = seen
            self.changed.emit()

    def _change_frame(self, _event: object = None) -> None:
        if not self.whole and not self.frames.value:
            self.changed.emit()
