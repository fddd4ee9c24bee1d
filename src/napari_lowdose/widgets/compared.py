"""What a comparison has given so far, and the layers that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_lowdose.compare import Result
from napari_lowdose.stack import Stack

NOISY, TRUTH = "noisy", "truth"


class Compared(QObject):
    """One comparison: its input, its results, and the layer of each.

    Parameters
    ----------
    viewer
        Where the layers are.
    title
        What the user calls it.
    noisy
        The layer that all methods denoise, and what was read of it.
    truth
        The same of its truth, where that is known.

    Signals
    -------
    changed
        Emitted when a result has come, or the layer of one has gone.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        title: str,
        noisy: tuple[Image, Stack],
        truth: tuple[Image, Stack] | None = None,
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self.title = title
        self._layers = {NOISY: noisy[0]}
        self._noisy = noisy[1]
        self._truth = truth[1] if truth else None
        if truth:
            self._layers[TRUTH] = truth[0]
        self._results: dict[str, Result] = {}
        viewer.layers.events.removed.connect(self._hear)

    @property
    def viewer(self) -> ViewerModel:
        """Where the layers are."""
        return self._viewer

    @property
    def noisy(self) -> Stack:
        """What all methods denoise."""
        return self._noisy

    @property
    def truth(self) -> Stack | None:
        """The expected counts, where they are known."""
        return self._truth

    @property
    def results(self) -> Sequence[Result]:
        """All results, also failed ones and those whose layer has gone."""
        return tuple(self._results.values())

    @property
    def layers(self) -> Mapping[str, Image]:
        """The layers that are still there, by method; with the noisy and the truth."""
        there = self._viewer.layers
        return {name: one for name, one in self._layers.items() if one in there}

    def add(self, result: Result, layer: Image | None) -> None:
        """Take in a result, and the layer that shows it."""
        self._results[result.name] = result
        if layer is not None:
            self._layers[result.name] = layer
        self.changed.emit()

    def leave(self) -> None:
        """Follow the layers no longer."""
        self._viewer.layers.events.removed.disconnect(self._hear)

    def _hear(self, event: object) -> None:
        if getattr(event, "value", None) in self._layers.values():
            self.changed.emit()
