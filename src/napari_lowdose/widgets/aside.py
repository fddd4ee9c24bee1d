"""Layers that step aside while others are looked at, and come back after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_lowdose.widgets.marks import is_mark


@dataclass(frozen=True)
class _Look:
    """How a layer looked before."""

    visible: bool
    named: bool


class Aside:
    """Show some layers only, with their names, and remember how all were before.

    Parameters
    ----------
    viewer
        Whose layers.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._before: WeakKeyDictionary[Layer, _Look] = WeakKeyDictionary()
        self._grid: bool | None = None
        self._fitted: tuple[float, ...] = ()

    def show_only(self, shown: Collection[Layer], *, grid: bool) -> None:
        """Show some layers: each in a box of its own, or all in one place."""
        if not grid:
            self.end_grid()
        elif self._grid is None:
            self._grid = self._viewer.canvas.grid.enabled
        for layer in self._viewer.layers:
            if is_mark(layer):
                continue
            if layer not in self._before:
                look = _Look(layer.visible, layer.name_overlay.visible)
                self._before[layer] = look
            named = layer in shown and isinstance(layer, Image)
            _look(layer, visible=layer in shown, named=named)
        selection = self._viewer.layers.selection
        if shown and selection.active not in shown:
            # The contrast that the user changes is of something that can be seen.
            selection.active = next(iter(shown))
        self._arrange(grid)

    def end_grid(self) -> None:
        """Leave the grid before layers come and go: each would build it anew."""
        if self._grid is None:
            self._grid = self._viewer.canvas.grid.enabled
        self._viewer.canvas.grid.enabled = False

    def bring_back(self) -> None:
        """Let all layers look as they did before."""
        for layer, look in tuple(self._before.items()):
            if layer in self._viewer.layers:
                _look(layer, visible=look.visible, named=look.named)
        self._before.clear()
        if self._grid is not None:
            self._arrange(self._grid)
            self._grid = None

    def _arrange(self, grid: bool) -> None:
        for layer in [*filter(is_mark, self._viewer.layers)]:
            layer.visible = not grid  # a grid would give it a box of its own
            if not grid and self._is_covered(layer):
                layers = self._viewer.layers
                layers.move(layers.index(layer), len(layers))
        if self._viewer.canvas.grid.enabled != grid:
            self._viewer.canvas.grid.enabled = grid
        self.fit()

    def _is_covered(self, mark: Layer) -> bool:
        above = self._viewer.layers[self._viewer.layers.index(mark) + 1 :]
        return any(layer.visible and not is_mark(layer) for layer in above)

    def fit(self) -> None:
        """Fit the view to the canvas, unless the user has moved it since."""
        untouched = self._fitted in ((), self._view())
        if untouched and len(self._viewer.layers):
            self._viewer.fit_to_view()
            self._fitted = self._view()

    def _view(self) -> tuple[float, ...]:
        camera = self._viewer.scene.camera
        return (camera.zoom, *camera.center)


def _look(layer: Layer, *, visible: bool, named: bool) -> None:
    if layer.name_overlay.visible != named:
        layer.name_overlay.visible = named
    if layer.visible != visible:
        layer.visible = visible
