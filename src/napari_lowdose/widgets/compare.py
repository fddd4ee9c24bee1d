"""Dock widget: many methods side by side, with their scores."""

from __future__ import annotations

from functools import partial
from typing import Any

import napari
from qtpy.QtCore import QTimer

from napari_lowdose.config import Comparison
from napari_lowdose.widgets.compared import Compared
from napari_lowdose.widgets.engine_panel import EnginePanel
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.method_choice import MethodChoice
from napari_lowdose.widgets.method_order import Order
from napari_lowdose.widgets.method_row import Standing, State
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.result_shelf import ResultShelf
from napari_lowdose.widgets.runner import EngineRun
from napari_lowdose.widgets.score_board import ScoreBoard
from napari_lowdose.widgets.view_tools import ViewTools

# What the engine may take to leave a method by itself.
_PATIENCE_MS = 600
_HIDDEN = ("baselines", "models", "estimates")  # the list of methods has them


class ComparePanel(EnginePanel):
    """Run baselines, models and own results on one layer and see which is best."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        go = button("Compare", "Run all that is checked and put it side by side")
        super().__init__(napari_viewer, go, "End now; results so far stay")
        self.noisy = self.layer_choice()
        self.truth = self.layer_choice(none="(none)")
        self.methods = MethodChoice(napari_viewer)
        self.form = Form(Comparison, hide=_HIDDEN)
        self.view = ViewTools(napari_viewer)
        self.board = ScoreBoard(napari_viewer)
        self.shelf = ResultShelf(self, napari_viewer)
        self.order: Order | None = None
        self._lay_out()
        self._wire()
        self._follow_layer()

    @property
    def compared(self) -> Compared | None:
        """What the last comparison has given so far."""
        return self.order.compared if self.order else None

    def _lay_out(self) -> None:
        movie = self.section("Movie")
        movie.rows.addRow("noisy", self.noisy)
        movie.rows.addRow("truth", self.truth)
        self.section("Methods").rows.addRow(self.methods)
        compare = self.section("Comparing")
        compare.rows.addRow(in_a_row(self.go, self.stop))
        compare.rows.addRow(self.progress)
        self.section("View").rows.addRow(self.view)
        self.section("Scores").rows.addRow(self.board)
        self.section("Results").rows.addRow(self.shelf)
        self.section("Settings", expanded=False).rows.addRow(self.form)
        self.truth.setToolTip("Expected counts of the same movie, if they are known")
        # At the end of so long a panel nobody would see it.
        self.status.setContentsMargins(0, 2, 0, 0)
        compare.rows.addRow(self.status)

    def _wire(self) -> None:
        self.noisy.chosen.connect(self._follow_layer)
        self.truth.chosen.connect(self._follow_layer)
        self.methods.changed.connect(self.set_ready)
        self.methods.list.cancelled.connect(self._cancel)
        self.go.clicked.connect(self._compare)
        self.board.picked.connect(self._pick)
        self.shelf.chosen.connect(self._show)
        self._viewer.layers.events.removed.connect(self._notice_loss)
        self.closed.connect(self._leave)

    def reset_choices(self, event: object = None) -> None:
        """Follow the layer list."""
        super().reset_choices(event)
        self.methods.refresh()
        self.set_ready()

    def _follow_layer(self) -> None:
        self.methods.follow(self.noisy.layer, self.truth.layer)
        self.set_ready()

    def can_start(self) -> bool:
        """Need a noisy layer, and something to compare it with."""
        return self.noisy.layer is not None and bool(self.methods.chosen)

    def _compare(self, _checked: bool = False) -> None:
        noisy = self.noisy.layer
        if noisy is None:
            return
        with self.reporting():
            self.order = Order.placed(
                self._viewer, noisy, self.truth.layer, self.methods, self.form.config
            )
            self.methods.list.begin(self.order.offers)
            self.shelf.keep(self.order.compared)
            self._show(self.order.compared)
            self._launch_rest()

    def _launch_rest(self) -> None:
        """Start an engine for the methods that wait."""
        assert self.order is not None
        left = self.methods.list.names_in(State.WAITING)
        self.launch(self.order.job_for(left), "Comparing")

    def hear(self, message: dict[str, Any]) -> None:
        """Take in what comes of each method as soon as it comes."""
        order, methods = self.order, self.methods.list
        if order is None or not order.hears(message, methods):
            return
        if message["event"] == "method":
            order.follow(message, methods)
        elif message["event"] == "result":
            order.take(message)
        elif message["event"] == "failed":
            order.fail(message["name"], message["text"], methods)

    def _stop(self, _checked: bool = False) -> None:
        super()._stop()
        if self.run is not None:
            QTimer.singleShot(_PATIENCE_MS, self.run.cut_off)

    def _cancel(self, name: str) -> None:
        """Leave one method out; the others go on."""
        if self.run is None or not self.running:
            return
        self.methods.list.tell(name, Standing(State.CANCELLED))
        self.run.skip(name)
        QTimer.singleShot(_PATIENCE_MS, partial(self._cut_off, self.run, name))

    def _cut_off(self, run: EngineRun, name: str) -> None:
        """Kill an engine that is deep in a method that nobody wants any more."""
        if run.running and self.order is not None and self.order.at == name:
            run.cut_off()

    def _notice_loss(self, event: Any) -> None:  # noqa: ANN401 - napari's event
        """End a run whose noisy layer was deleted."""
        order = self.order
        if self.running and self.run and order and event.value is order.noisy:
            self.run.cut_off()

    def _show(self, compared: Compared | None) -> None:
        """Look at a comparison, in views and scores; end one that was deleted."""
        self.view.follow(compared)
        self.board.follow(compared)
        if self.order is not None and self.order.compared not in self.shelf.kept:
            if self.running and self.run:
                self.run.cut_off()
            self.order = None  # it holds stacks

    def finish(self, well: bool) -> None:
        """Go on with what is left, or arrange what there is; also after a stop."""
        order, methods = self.order, self.methods.list
        if order is None or self.run is None:
            methods.clear_states()
            self.methods.refresh()
            return
        lost = order.noisy not in self._viewer.layers
        stopped = self.run.stops or lost
        if order.ended(methods, self.status.text(), stopped=stopped):
            self._launch_rest()
            return
        if lost:
            self.say("the noisy layer was deleted, so the comparison has ended")
        elif well or order.compared.results:
            self.say(order.summary(methods))
        self.methods.refresh()

    def _pick(self, method: str) -> None:
        """Select the layer of a method."""
        compared = self.shelf.compared
        layer = compared.layers.get(method) if compared else None
        if layer is not None:
            layer.visible = True
            self._viewer.layers.selection.active = layer

    def _leave(self) -> None:
        """Hold on to the viewer no longer."""
        self._viewer.layers.events.removed.disconnect(self._notice_loss)
        for compared in self.shelf.kept:
            compared.leave()
