"""One result left of a line, another right of it, in one view."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_lowdose.compare.pair import Curtain
from napari_lowdose.widgets.grab import Drag, Grab
from napari_lowdose.widgets.layers import place_of, stack_from
from napari_lowdose.widgets.linked import ATTRIBUTES
from napari_lowdose.widgets.marks import Marks, Place

_COLOUR = "#ffb454"


class CurtainView:
    """A layer that shows two others, and a line between them that can be dragged.

    It copies no counts: the layer reads one frame of each when it is drawn. To hide it
    is much quicker than to make it anew: napari collects garbage whenever a layer goes.

    Parameters
    ----------
    viewer
        Where to show it.
    first, second
        The layers left and right of the line.
    names
        What these are called.
    share
        Where the line is, from 0 at the left to 1 at the right rim.
    moved
        Called with the share when the line is dragged.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        first: Image,
        second: Image,
        *,
        names: tuple[str, str],
        share: float = 0.5,
        moved: Callable[[float], None] = lambda _share: None,
    ) -> None:
        self._viewer = viewer
        self._moved = moved
        self._pair = (first, second)
        self._stacks = _joined(first, second)
        look = {name: getattr(first, name) for name in ATTRIBUTES}
        self._layer: Image = viewer.add_image(
            self._stacks, name=" | ".join(names), **look, **place_of(first)
        )
        self._line = Marks(
            viewer, self._layer, name="curtain", colour=_COLOUR, own=True
        )
        self._grab = Grab(viewer, self._layer, take=self._take)
        self.move_to(share)

    @property
    def pair(self) -> tuple[Image, Image]:
        """The layers left and right of the line."""
        return self._pair

    @property
    def layer(self) -> Image:
        """What shows both."""
        return self._layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What shows both, and the line; less what the user has removed."""
        ours = (self._layer, self._line.layer)
        return tuple(one for one in ours if one in self._viewer.layers)

    @property
    def whole(self) -> bool:
        """Whether the user has removed neither layer nor line."""
        return len(self.layers) == len((self._layer, self._line))

    @property
    def share(self) -> float:
        """Where the line is, from 0 at the left to 1 at the right rim."""
        return self._stacks.edge / self._stacks.shape[-1]

    def show_pair(self, first: Image, second: Image, names: tuple[str, str]) -> None:
        """Show two others instead."""
        if (first, second) != self._pair:
            share = self.share
            self._pair, self._stacks = (first, second), _joined(first, second)
            self._layer.data = self._stacks
            self._layer.name = " | ".join(names)
            self.move_to(share)

    def move_to(self, share: float) -> None:
        """Move the line."""
        height, width = self._stacks.shape[-2:]
        self._stacks.edge = int(np.clip(round(share * width), 0, width))
        across = self._stacks.edge - 0.5  # between two pixels
        self._line.draw([((-0.5, across), (height - 0.5, across))])
        self._layer.refresh(extent=False, thumbnail=False)

    def leave(self) -> None:
        """Take layer and line away."""
        self._grab.leave()
        self._line.remove()
        if self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)

    def _take(self, place: Place, reach: float, _shift: bool) -> Drag | None:
        near = abs(place[1] - (self._stacks.edge - 0.5)) <= reach
        return self._drag if near and self._layer.visible else None

    def _drag(self, place: Place) -> None:
        share = (place[1] + 0.5) / self._stacks.shape[-1]
        self.move_to(share)
        self._moved(self.share)


def _joined(first: Image, second: Image) -> Curtain:
    return Curtain(stack_from(first).data, stack_from(second).data)
