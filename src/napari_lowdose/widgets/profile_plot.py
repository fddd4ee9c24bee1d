"""Counts along a line, one curve for each method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from qtpy.QtCore import QPointF, QSize
from qtpy.QtGui import QPainter, QPaintEvent

from napari_lowdose.compare.scale import Scale
from napari_lowdose.widgets.axes import Axes, Plot

# Legible on napari's dark and light themes, and apart for the colour-blind.
CURVE_COLOURS = (
    "#8f9aa8", "#5fb0ff", "#ffb454", "#3fbf9b", "#e0679a", "#c792ea", "#d9c73f",
    "#d0743c", "#4fc3d9",
)  # fmt: skip
_ROOM = 0.05  # above and below, as a share of the height


@dataclass(frozen=True)
class Curve:
    """What one method has along a line.

    Parameters
    ----------
    values
        Counts, evenly spaced; NaN beyond the frame.
    colour
        Of its line and its name.
    """

    values: Float[ndarray, " n"]
    colour: str


class ProfilePlot(Plot):
    """Curves over the distance along a line."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: dict[str, Curve] = {}
        self._length = 1.0
        self.setToolTip("Counts over the distance from the start of the line")

    def sizeHint(self) -> QSize:
        """Ask for enough to tell curves apart."""
        return QSize(200, 170)

    @property
    def curves(self) -> Mapping[str, Curve]:
        """What is plotted, by method."""
        return dict(self._curves)

    @property
    def length(self) -> float:
        """Length of the line, in the unit of the axis."""
        return self._length

    def show_curves(self, curves: Mapping[str, Curve], *, length: float) -> None:
        """Plot other curves."""
        self._curves, self._length = dict(curves), length
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw frame, ticks and curves."""
        painter = QPainter(self)
        axes = Axes(painter, self)
        known = [one.values[np.isfinite(one.values)] for one in self._curves.values()]
        values = np.concatenate([*known, np.empty(0)])
        if not values.size:
            axes.write_in_the_middle("no pixel below the line")
            return
        y = Scale.around((float(values.min()), float(values.max()))).wider(_ROOM)
        x = Scale.around((0.0, self._length))
        axes.draw_y_ticks(y)
        axes.draw_x_ticks(x)
        for curve in self._curves.values():
            distances = np.linspace(0, self._length, len(curve.values))
            inside = np.isfinite(curve.values)
            pairs = zip(distances[inside], curve.values[inside], strict=True)
            points: list[QPointF] = [
                axes.at(x, y, float(d), float(v)) for d, v in pairs
            ]
            if points:
                axes.draw_curve(points, curve.colour)


def legend(curves: Mapping[str, Curve]) -> str:
    """Write the names in the colours of their curves."""
    words = (
        (one.colour, f"— {escape(name)}".replace(" ", "&nbsp;"))
        for name, one in curves.items()
    )
    return " &nbsp; ".join(
        f'<span style="color:{c}">{name}</span>' for c, name in words
    )
