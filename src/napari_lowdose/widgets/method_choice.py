"""Choose what to compare: baselines, models, and layers that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from napari_lowdose.compare import Kind
from napari_lowdose.compare.offers import (
    Offer,
    baseline_offers,
    model_offers,
    own_offer,
)
from napari_lowdose.errors import LowDoseError
from napari_lowdose.model_history import models_folder, recent_models
from napari_lowdose.shipped import model_path, shipped_model
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.layers import stack_from
from napari_lowdose.widgets.method_list import MethodList
from napari_lowdose.widgets.model_card import show_card
from napari_lowdose.widgets.model_choice import (
    FILES,
    announce_model,
    when_announced,
)
from napari_lowdose.widgets.panel import button


class MethodChoice(QWidget):
    """The list of methods for one noisy layer, and buttons for model files.

    Parameters
    ----------
    viewer
        Whose layers can be compared as well.

    Signals
    -------
    changed
        Emitted when something else is chosen.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._noisy: Layer | None = None
        self._truth: Layer | None = None
        self._layers: dict[str, Layer] = {}
        self._listed_for: Layer | None = None
        self.list = MethodList()
        self.browse = button("Model file…", "Compare a model file as well")
        self.about = button("About", "What the selected method is", enabled=False)
        row = QHBoxLayout()
        row.addWidget(self.browse)
        row.addWidget(self.about)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.list)
        layout.addLayout(row)
        self.list.changed.connect(self.changed)
        self.list.currentItemChanged.connect(self._follow_row)
        self.browse.clicked.connect(self._ask)
        self.about.clicked.connect(self._show_card)
        self.refresh()
        when_announced(self._take)

    def follow(self, noisy: Layer | None, truth: Layer | None) -> None:
        """Offer what can run on a layer, once no comparison runs."""
        self._noisy, self._truth = noisy, truth
        self.refresh()

    def refresh(self) -> None:
        """Follow the layers, and the models that there are, unless some run."""
        if self.list.busy:
            return
        if self._noisy is not self._listed_for:
            self.list.clear_states()
            self._listed_for = self._noisy
        refusal, noisy = "", None
        try:
            noisy = stack_from(self._noisy) if self._noisy is not None else None
        except LowDoseError as error:
            refusal = str(error)
        models = model_offers(recent_models())
        offers = [*baseline_offers(), *models, *self._layer_offers()]
        self.list.offer(offers, noisy, refusal)

    def _layer_offers(self) -> list[Offer]:
        """Offer the layers that are stacks, but the noisy one and its truth."""
        offers, self._layers = [], {}
        for layer in self._viewer.layers:
            stack = None if layer in (self._noisy, self._truth) else _stack(layer)
            if stack is not None:
                source = str(id(layer))
                offers.append(own_offer(stack, source))
                self._layers[source] = layer
        return offers

    def layer_of(self, offer: Offer) -> Layer | None:
        """Find the layer that is offered, while it is there."""
        layer = self._layers.get(offer.source) if offer.kind is Kind.FILE else None
        return layer if layer in self._viewer.layers else None

    @property
    def chosen(self) -> Sequence[Offer]:
        """What is to be compared."""
        return self.list.chosen

    def _take(self, path: Path) -> None:
        """List and check a model that was made or found."""
        base = shipped_model(path)
        self.refresh()
        name = base.name if base else str(path)
        self.list.want(Offer(Kind.MODEL, name, name))
        self.changed.emit()

    def _follow_row(self, *_items: object) -> None:
        offer = getattr(self.list.currentItem(), "offer", None)
        self.about.setEnabled(offer is not None and offer.kind is Kind.MODEL)

    def _show_card(self, _checked: bool = False) -> None:
        offer = getattr(self.list.currentItem(), "offer", None)
        if offer is not None:
            show_card(model_path(offer.source), self)

    def _ask(self, _checked: bool = False) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Choose a model", str(models_folder()), FILES
        )
        if name:
            announce_model(Path(name).resolve())


def _stack(layer: Layer) -> Stack | None:
    """Read a layer as a stack; None if it shows none."""
    if not isinstance(layer, Image | Labels):
        return None
    try:
        return stack_from(layer)
    except LowDoseError:
        return None
