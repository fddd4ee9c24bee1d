"""The x-t and y-t slices of all methods, in a dock below the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

from napari_lowdose.compare.kymograph import Kymographs, kymographs
from napari_lowdose.io.units import unit_symbol
from napari_lowdose.stack import ArrayLike, Stack
from napari_lowdose.widgets.cross import Cross
from napari_lowdose.widgets.grab import Grab
from napari_lowdose.widgets.latest import Latest
from napari_lowdose.widgets.layers import limits_of, stack_from, visible_frame
from napari_lowdose.widgets.linked import ATTRIBUTES
from napari_lowdose.widgets.marks import Place
from napari_lowdose.widgets.side_pictures import Look, SidePictures, Spot, Steps

TITLE = "x-t and y-t"
_REST_MS = 30  # between two drawings


class SideViews(QScrollArea):
    """Slices through time that follow a cross on the canvas, and the frame.

    Parameters
    ----------
    viewer
        Whose cross, frame and contrast they follow; it docks them.
    owner
        A widget of the panel that they belong to.
    layers
        What to slice, by method; the first sets place and units.

    Signals
    -------
    closed
        Emitted when the user closes the dock, or removes the layer that sets the place.
    """

    closed = Signal()

    def __init__(
        self, viewer: ViewerModel, owner: QWidget, layers: Mapping[str, Image]
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._layers = dict(layers)
        self._like = next(iter(layers.values()))
        self._left = False
        self.pictures = SidePictures()
        self.setWidget(self.pictures)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        stack = stack_from(self._like)
        self._steps, self._shape = steps_of(stack), stack.shape
        self._cross = Cross(viewer, self._like)
        self._grab = Grab(viewer, self._like, click=self.put, hover=self.put)
        self._latest = Latest(owner)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REST_MS)
        self._soon.timeout.connect(self._ask)
        self._latest.came.connect(self._take)
        self.pictures.picked.connect(self._go_to)
        self._listen()
        frame = visible_frame(viewer, self._like)
        self._put(Spot(frame, self._shape[1] // 2, self._shape[2] // 2))
        self._ask()

    @property
    def settled(self) -> bool:
        """Whether all that was asked for is drawn."""
        return self._latest.settled and not self._soon.isActive()

    @property
    def layers(self) -> Mapping[str, Image]:
        """What is sliced, by method."""
        return dict(self._layers)

    def show_layers(self, layers: Mapping[str, Image]) -> None:
        """Slice other layers of the same movie."""
        if dict(layers) != self._layers:
            self._layers = dict(layers)
            self._soon.start()

    def put(self, place: Place) -> None:
        """Move the cross to a row and a column."""
        row, column = (
            int(np.clip(round(where), 0, length - 1))
            for where, length in zip(place, self._shape[1:], strict=True)
        )
        if (row, column) != (self.pictures.spot.row, self.pictures.spot.column):
            self._put(Spot(self.pictures.spot.frame, row, column))
            if not self._soon.isActive():
                self._soon.start()

    def leave(self) -> None:
        """Take the cross away, and follow nothing any more."""
        if self._left:
            return
        self._left = True
        self._soon.stop()
        self._grab.leave()
        self._viewer.layers.events.removed.disconnect(self._hear_removal)
        self._viewer.dims.events.current_step.disconnect(self._hear_frame)
        for name in ATTRIBUTES:
            getattr(self._like.events, name).disconnect(self._hear_look)
        self._cross.remove()
        self._latest.came.disconnect(self._take)
        self._latest.deleteLater()

    def event(self, event: QEvent | None) -> bool:
        """Notice the dock's X."""
        handled = super().event(event)
        moved = event is not None and event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is None and not self._left:
            self.closed.emit()
        return handled

    def _listen(self) -> None:
        self._viewer.layers.events.removed.connect(self._hear_removal)
        self._viewer.dims.events.current_step.connect(self._hear_frame)
        for name in ATTRIBUTES:
            getattr(self._like.events, name).connect(self._hear_look)

    def _put(self, spot: Spot) -> None:
        self.pictures.mark(spot)
        self._cross.move_to(spot.row, spot.column)

    def _go_to(self, spot: Spot) -> None:
        self.put((spot.row, spot.column))
        point = self._like.data_to_world((spot.frame, spot.row, spot.column))
        self._viewer.dims.set_point(self._viewer.dims.ndim - 3, point[0])

    def _ask(self) -> None:
        # Arrays only: a worker may touch no layer.
        stacks = {name: stack_from(one).data for name, one in self._layers.items()}
        spot = self.pictures.spot
        self._latest.ask(partial(_cut, stacks, spot.row, spot.column))

    def _take(self, slices: dict[str, Kymographs] | str) -> None:
        if not isinstance(slices, str):
            self.pictures.show_slices(slices, self._steps)
            self._hear_look()

    def _hear_look(self, _event: object = None) -> None:
        looks = {name: look_of(one) for name, one in self._layers.items()}
        self.pictures.show_looks(looks)

    def _hear_frame(self, _event: object) -> None:
        spot = self.pictures.spot
        frame = visible_frame(self._viewer, self._like)
        self.pictures.mark(Spot(frame, spot.row, spot.column))

    def _hear_removal(self, _event: object) -> None:
        if self._like not in self._viewer.layers:
            self.closed.emit()


def _cut(
    stacks: Mapping[str, ArrayLike], row: int, column: int
) -> dict[str, Kymographs]:
    return {
        name: kymographs(stack, row=row, column=column)
        for name, stack in stacks.items()
    }


def look_of(layer: Image) -> Look:
    """Read how a layer colours its counts."""
    colours = layer.colormap.map(np.linspace(0, 1, 256))[:, :3]
    return Look(limits_of(layer), float(layer.gamma), (colours * 255).astype(np.uint8))


def steps_of(stack: Stack) -> Steps:
    """Read what a pixel and a frame are worth."""
    _, height, width = stack.scale
    known = stack.pixel_size is not None and stack.pixel_unit != "pixel"
    return Steps(
        t=stack.frame_interval_s or 1.0,
        y=height,
        x=width,
        time_unit="s" if stack.frame_interval_s else "frame",
        pixel_unit=unit_symbol(stack.pixel_unit) if known else "px",
    )
