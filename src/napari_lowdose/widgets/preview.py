"""A layer that shows what a model makes of the visible frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from napari.components import ViewerModel
from napari.layers import Image, Layer
from numpy import ndarray

from napari_lowdose.widgets.layers import (
    Limits,
    add_frame,
    estimate_limits,
    limits_of,
    move_to_frame,
    visible_frame,
)


class Preview:
    """One denoised frame at its time and place.

    It hides as soon as another frame is looked at: a layer that is seen is sliced,
    drawn and given a thumbnail at every step, which would stall a playing movie.

    Parameters
    ----------
    viewer
        Where to show it.
    like
        The noisy layer.
    """

    def __init__(self, viewer: ViewerModel, like: Layer) -> None:
        self._viewer = viewer
        self._like = like
        self._layer: Image | None = None
        self._limits: Limits | None = None
        self._index = 0
        self._shown = False

    def show(self, frame: Float[ndarray, "y x"], index: int) -> None:
        """Show a frame, if it is still the one that is looked at."""
        if index != visible_frame(self._viewer, self._like) or self._unwanted():
            return
        if self._layer is None:
            self._layer = add_frame(
                self._viewer, frame, index=index, like=self._like, name="preview"
            )
            self._limits = limits_of(self._layer)
        else:
            self._layer.data = frame[np.newaxis]
            if index == self._index:
                self._suit()
            move_to_frame(self._layer, index, like=self._like)
            self._layer.visible = True
        self._index, self._shown = index, True

    def bring(self, frame: Float[ndarray, "y x"], index: int) -> None:
        """Look at the frame that was denoised, and show it."""
        axis = self._viewer.dims.ndim - self._like.ndim
        point = self._like.data_to_world((index, *[0] * (self._like.ndim - 1)))
        self._viewer.dims.set_point(axis, point[0])
        if self._layer is not None and self._layer in self._viewer.layers:
            self._layer.visible = self._shown = True
        else:
            self._layer = None
        self.show(frame, index)

    def leave(self) -> None:
        """Hide, if another frame is looked at now."""
        if self._layer is None or not self._shown or self._unwanted():
            return
        if visible_frame(self._viewer, self._like) != self._index:
            self._layer.visible = self._shown = False

    def remove(self) -> None:
        """Take the layer away."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer, self._shown = None, False

    def _suit(self) -> None:
        """Choose the contrast for a frame anew, unless the user has chosen it.

        Only while one frame is shown, as training makes more and more of it: frames of
        a movie are to be compared.
        """
        if self._layer is not None and limits_of(self._layer) == self._limits:
            self._layer.contrast_limits = estimate_limits(self._layer.data, self._like)
            self._limits = limits_of(self._layer)

    def _unwanted(self) -> bool:
        """Whether the user has removed or hidden the layer."""
        if self._layer is None:
            return False
        hidden = self._shown and not self._layer.visible
        return hidden or self._layer not in self._viewer.layers
