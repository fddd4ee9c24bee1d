"""One comparison as it was asked for, and what has come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import nan
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer

from napari_lowdose.compare import Kind, Result, refuse_unlike
from napari_lowdose.compare.offers import (
    Offer,
    comparison_of,
    methods_for,
    ordered,
)
from napari_lowdose.config import Comparison
from napari_lowdose.jobs import Task
from napari_lowdose.widgets.compared import NOISY, Compared
from napari_lowdose.widgets.layers import add_stack, stack_from
from napari_lowdose.widgets.method_choice import MethodChoice
from napari_lowdose.widgets.method_list import MethodList
from napari_lowdose.widgets.method_row import Standing, State
from napari_lowdose.widgets.runner import job_of

# What of a message of the engine is told of a result as it is.
_TOLD = (
    "scores",
    "std_errors",
    "tiles",
    "seconds",
    "settings",
    "criterion",
    "memory_mb",
    "cached",
)


@dataclass
class Order:
    """What one comparison shall do, and where it is.

    Parameters
    ----------
    viewer
        Where results are shown.
    noisy
        The layer that all methods denoise.
    offers
        What was chosen, by the names in the comparison.
    own
        The layers among it, by the same names.
    comparison
        Settings, and what was chosen.
    compared
        Takes in what comes.
    at
        The method that the engine works on; empty between two.
    """

    viewer: ViewerModel
    noisy: Layer
    offers: Mapping[str, Offer]
    own: Mapping[str, Layer]
    comparison: Comparison
    compared: Compared
    at: str = ""

    @classmethod
    def placed(
        cls,
        viewer: ViewerModel,
        noisy: Layer,
        truth: Layer | None,
        methods: MethodChoice,
        settings: Comparison,
    ) -> Order:
        """Ask for what is chosen.

        Raises
        ------
        UnusableStack
            If a layer is no stack.
        ValueError
            If the truth has another shape than the noisy layer.
        """
        stack = stack_from(noisy)
        known = (truth, stack_from(truth)) if truth is not None else None
        refuse_unlike(stack, known[1] if known else None)
        chosen = ordered(methods.chosen)
        names = [method.name for method in methods_for(chosen, settings)]
        offers = dict(zip(names, chosen, strict=True))
        layers = {name: methods.layer_of(offer) for name, offer in offers.items()}
        title = f"{noisy.name} {datetime.now().astimezone():%H:%M}"
        return cls(
            viewer,
            noisy,
            offers,
            {name: layer for name, layer in layers.items() if layer is not None},
            comparison_of(chosen, settings),
            Compared(viewer, title, (noisy, stack), known),
        )

    def job_for(self, left: Sequence[str]) -> Callable[[Path], Path]:
        """Give what writes the job of the methods that are left."""
        over = [name for name in self.offers if name not in left]
        if self.compared.results:
            over.append(NOISY)
        stacks = [offer.stack for offer in self.offers.values() if offer.stack]
        return job_of(
            self.compared.noisy,
            self.compared.truth,
            estimate=stacks,
            task=Task.COMPARE,
            comparison=self.comparison,
            leave_out=tuple(over),
        )

    def hears(self, message: Mapping[str, Any], methods: MethodList) -> bool:
        """Tell whether a message still counts: nobody has cancelled what it is of."""
        if self.noisy not in self.viewer.layers:
            return False
        name = message["name"] if message["event"] == "method" else self.at
        standing = methods.standing_of(name)
        cancelled = standing is not None and standing.state is State.CANCELLED
        if cancelled and message["event"] == "method":
            self.at = name if message["state"] == State.RUNNING else ""
        return not cancelled

    def follow(self, message: Mapping[str, Any], methods: MethodList) -> None:
        """Take in where the engine is."""
        name, state = message["name"], State(message["state"])
        if state is not State.RUNNING:
            self.at = ""
            if state is State.DONE:
                methods.tell(name, self._done(name))
            return
        standing = methods.standing_of(name)
        if self.at != name or standing is None:
            standing = Standing(State.RUNNING)
        self.at = name
        share, left = message.get("share"), message.get("seconds_left")
        methods.tell(name, standing.later(share, left))

    def _done(self, name: str) -> Standing:
        made = {result.name: result for result in self.compared.results}.get(name)
        if made is None:
            return Standing(State.DONE)
        return Standing(State.DONE, seconds=made.seconds, cached=made.cached)

    def take(self, message: Mapping[str, Any]) -> Result:
        """Show a result as a layer, unless it is one, and keep it."""
        name, noisy = message["name"], self.compared.noisy
        layer: Any = self.own.get(name)
        stack = noisy
        if layer is not None:
            own = self.offers[name].stack or noisy
            recipe = (*own.recipe, message["step"])
            stack = replace(
                noisy, data=own.data, name=f"{noisy.name} {name}", recipe=recipe
            )
        elif name != NOISY:
            stack = noisy.with_data(message["array"], name, message["step"])
            layer = add_stack(self.viewer, stack, like=self.noisy)
        result = Result(
            name,
            stack,
            **{told: message[told] for told in _TOLD},
            kind=Kind(message["kind"]),
            notes=tuple(message["notes"]),
        )
        self.compared.add(result, layer)
        return result

    def fail(self, name: str, reason: str, methods: MethodList) -> None:
        """Keep that a method has failed, and why."""
        kind = self.offers[name].kind if name in self.offers else Kind.NOISY
        result = Result(name, None, {}, nan, {}, error=reason, kind=kind)
        self.compared.add(result, None)
        methods.tell(name, Standing(State.FAILED, reason=reason))

    def ended(self, methods: MethodList, why: str, *, stopped: bool) -> bool:
        """Settle after an engine has ended; tell whether another shall go on.

        It ends before all is done where it was stopped, where the method at work was
        cancelled, or where it broke down: then the others must not be lost.

        Parameters
        ----------
        methods
            How far each is.
        why
            What was told last, which is the reason if the engine broke down.
        stopped
            Whether the user has stopped it, or its noisy layer has gone.
        """
        at_work, self.at = self.at in self.offers, ""
        if stopped:
            for name in methods.names_in(State.RUNNING, State.WAITING):
                methods.tell(name, Standing(State.CANCELLED))
            return False
        # An engine that breaks down between methods would do so again.
        states = (State.RUNNING,) if at_work else (State.RUNNING, State.WAITING)
        for name in methods.names_in(*states):
            self.fail(name, why, methods)
        return bool(methods.names_in(State.WAITING))

    def summary(self, methods: MethodList) -> str:
        """Say how all of them went."""
        counts = Counter({state: len(methods.names_in(state)) for state in State})
        parts = [f"{counts[State.DONE]} compared"]
        parts += [
            f"{counts[state]} {state}"
            for state in (State.FAILED, State.CANCELLED)
            if counts[state]
        ]
        return f"{', '.join(parts)}; click a row of the table to select its layer"
