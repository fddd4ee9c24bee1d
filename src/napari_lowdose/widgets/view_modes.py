"""Results beside one another, on either side of a curtain, in turn, or one alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_lowdose.widgets.aside import Aside
from napari_lowdose.widgets.blink import Blink
from napari_lowdose.widgets.compared import NOISY, TRUTH, Compared
from napari_lowdose.widgets.curtain import CurtainView
from napari_lowdose.widgets.linked import Linked
from napari_lowdose.widgets.preferred import preferred
from napari_lowdose.widgets.view_controls import Mode, ViewControls

_FEWEST = 2  # layers that can be compared


class ViewModes(QWidget):
    """Choose how the results of a comparison are shown, and which two of them.

    Other layers step aside meanwhile.

    Parameters
    ----------
    viewer
        Where the layers are.

    Signals
    -------
    changed
        Emitted when other methods are looked at, or in another way.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._compared: Compared | None = None
        self._mode: Mode | None = Mode.GRID
        self._hidden: set[str] = set()
        self._watched: list[Image] = []
        self._extras: list[Image] = []
        self._aside = Aside(viewer)
        self._linked = Linked(viewer)
        self._curtain: CurtainView | None = None
        self._blink: Blink | None = None
        self._busy = False
        self.controls = ViewControls()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.controls)
        self.buttons = self.controls.buttons
        self.a, self.b = self.controls.a, self.controls.b
        self.edge, self.rate = self.controls.edge, self.controls.rate
        self._soon = QTimer(self)  # many layers may go at once
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.apply)
        self._wire()
        self.apply()

    def _wire(self) -> None:
        self.controls.asked.connect(self.choose)
        self.controls.chosen.connect(self._hear_choice)
        self.edge.valueChanged.connect(self._move_curtain)
        self.rate.valueChanged.connect(self._set_rate)

    @property
    def mode(self) -> Mode | None:
        """How results are shown now; None: as any layers."""
        return self._mode

    @property
    def curtain(self) -> CurtainView | None:
        """The curtain, while it is shown."""
        return self._curtain if self._mode is Mode.CURTAIN else None

    @property
    def blink(self) -> Blink | None:
        """What shows A and B in turn, while it does."""
        return self._blink

    @property
    def shown(self) -> Mapping[str, Image]:
        """The layers by method, but for those that the user hid in the grid."""
        layers = self._compared.layers if self._compared else {}
        return {name: one for name, one in layers.items() if name not in self._hidden}

    def layer_of(self, method: str | None) -> Image | None:
        """Find the layer of a method."""
        return self._compared.layers.get(method or "") if self._compared else None

    def follow(self, compared: Compared | None) -> None:
        """Show another comparison, or none."""
        self.leave()
        self._compared = compared
        if compared is not None:
            compared.changed.connect(self._hear_change)
            self._viewer.layers.events.removed.connect(self._hear_removal)
        self.controls.forget()
        self.apply()

    def leave(self) -> None:
        """Let all layers look as before, and hear of the comparison no more."""
        self._soon.stop()
        if self._compared is not None:
            self._compared.changed.disconnect(self._hear_change)
            self._viewer.layers.events.removed.disconnect(self._hear_removal)
        self._compared = None
        self._hidden.clear()
        self._extras.clear()
        self._take_down()
        self._watch([])
        self._linked.leave()

    def choose(self, mode: Mode | None) -> None:
        """Look in another way; None: at all layers, as before."""
        self._mode = mode
        self.apply()

    def add(self, layer: Image) -> None:
        """Show another layer beside the results, in a contrast of its own."""
        self._extras.append(layer)
        self.choose(Mode.GRID)

    def apply(self) -> None:
        """Bring the viewer up to date."""
        layers = dict(self._compared.layers) if self._compared else {}
        with self._quietly():
            self._offer(layers)
            self._watch([*layers.values()])
            self._show(layers)
            between = [self._curtain.layer] if self._curtain else []
            self._linked.keep([*layers.values(), *between])
            self._set_contrast(layers)
        self.controls.suit(self._mode, enough=len(layers) >= _FEWEST)
        self.changed.emit()

    def fit(self) -> None:
        """Fit the view to the canvas, unless the user has moved it."""
        if self._mode is not None and self._compared is not None:
            self._aside.fit()

    # -- what is shown -------------------------------------------------------------

    def _show(self, layers: Mapping[str, Image]) -> None:
        if self.curtain is not None and not self.curtain.whole:
            self._mode = None  # the user has removed it
        if self._mode is None or len(layers) < _FEWEST:
            self._take_down()
            return
        self._forget_curtain(layers)
        pair = layers[self.a.value], layers[self.b.value]
        self._end_blink(pair)
        if self._mode is Mode.GRID:
            extras = [one for one in self._extras if one in self._viewer.layers]
            self._aside.show_only([*self.shown.values(), *extras], grid=True)
        elif self._mode is Mode.CURTAIN:
            self._aside.end_grid()
            self._aside.show_only(self._curtain_of(*pair).layers, grid=False)
        elif self._mode is Mode.BLINK:
            self._aside.show_only(pair, grid=False)
            self._blink = self._blink or self._new_blink(*pair)
            self._show_of_pair(self._blink.current)
        else:
            self._aside.show_only(pair[:1], grid=False)

    def _curtain_of(self, first: Image, second: Image) -> CurtainView:
        names = self.a.value, self.b.value
        if self._curtain is None:
            self._curtain = CurtainView(
                self._viewer,
                first,
                second,
                names=names,
                share=self.edge.value() / self.edge.maximum(),
                moved=self._hear_curtain,
            )
        self._curtain.show_pair(first, second, names)
        return self._curtain

    def _forget_curtain(self, layers: Mapping[str, Image]) -> None:
        """Take the curtain away if the user removed a part of it, or what it hides."""
        curtain, there = self._curtain, [*layers.values()]
        if curtain is None:
            return
        current = self._mode is Mode.CURTAIN and len(there) >= _FEWEST
        if not curtain.whole or not (current or all(o in there for o in curtain.pair)):
            self._curtain = None
            curtain.leave()

    def _new_blink(self, first: Image, second: Image) -> Blink:
        blink = Blink(self._viewer, first, second, parent=self, show=self._show_of_pair)
        blink.held.connect(lambda: self.rate.setValue(0))
        blink.set_rate(self.rate.value())
        return blink

    def _show_of_pair(self, layer: Image) -> None:
        if self._blink is not None:
            with self._quietly():
                first, second = self._blink.layers
                other = second if layer is first else first
                for one in (layer, other):
                    if one.visible != (one is layer):
                        one.visible = one is layer

    def _end_blink(self, pair: tuple[Image, Image] | None) -> None:
        """End the blinking of other layers, or what is not to blink any more."""
        blink = self._blink
        if blink and (self._mode is not Mode.BLINK or blink.layers != pair):
            self._blink = None
            blink.leave()
            blink.deleteLater()

    def _take_down(self) -> None:
        with self._quietly():
            self._end_blink(None)
            self._forget_curtain({})
            self._aside.bring_back()

    # -- what belongs together -----------------------------------------------------

    def _offer(self, layers: Mapping[str, Image]) -> None:
        names = [*layers]
        best = preferred(self._compared, names)
        self.controls.offer(names, NOISY if NOISY in names else None, best)

    def _set_contrast(self, layers: Mapping[str, Image]) -> None:
        """Suit the truth, else the best result."""
        name = TRUTH if TRUTH in layers else preferred(self._compared, [*layers])
        if name is not None:
            self._linked.suit(layers[name])

    def _watch(self, layers: list[Image]) -> None:
        for layer in self._watched:
            if layer not in layers:
                layer.events.visible.disconnect(self._hear_eye)
        for layer in layers:
            if layer not in self._watched:
                layer.events.visible.connect(self._hear_eye)
        self._watched = layers

    # -- what the user does --------------------------------------------------------

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Change layers without taking it for what the user does."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def _hear_choice(self) -> None:
        if not self._busy:
            self.apply()

    def _hear_eye(self, _event: object) -> None:
        """Leave out what the user hides in the grid, there and in plots."""
        if self._busy or self._mode is not Mode.GRID or self._compared is None:
            return
        layers = self._compared.layers
        self._hidden = {name for name, one in layers.items() if not one.visible}
        self.changed.emit()

    def _hear_change(self) -> None:
        """Show a result that has come; wait until all have gone that go."""
        if all(layer in self._viewer.layers for layer in self._watched):
            self.apply()
        else:
            self._soon.start()

    def _hear_removal(self, _event: object) -> None:
        if not self._busy:
            self._soon.start()

    def _hear_curtain(self, share: float) -> None:
        with self._quietly():
            self.edge.setValue(round(share * self.edge.maximum()))

    def _move_curtain(self, value: int) -> None:
        if self._curtain is not None and not self._busy:
            self._curtain.move_to(value / self.edge.maximum())

    def _set_rate(self, hertz: float) -> None:
        if self._blink is not None:
            self._blink.set_rate(hertz)
