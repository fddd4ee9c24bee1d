"""A plot of losses on a log scale, drawn by hand so that it follows the theme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from qtpy.QtCore import QPointF, QTimer
from qtpy.QtGui import QPainter, QPaintEvent

from napari_lowdose.compare.scale import Scale
from napari_lowdose.widgets.axes import COLOURS, Axes, Plot

_REPAINT_MS = 400  # a repaint beside the canvas recomposes the whole window


class LossPlot(Plot):
    """Curves over epochs, the losses on a log scale."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: dict[str, list[float]] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REPAINT_MS)
        self._soon.timeout.connect(self.update)
        self.setToolTip("Mean squared error of normalized counts, over all planes")

    @property
    def curves(self) -> dict[str, list[float]]:
        """What is plotted: losses by curve, one per epoch."""
        return {name: list(losses) for name, losses in self._curves.items()}

    def clear(self) -> None:
        """Forget all curves."""
        self._curves = {}
        self.update()

    def append(self, **losses: float) -> None:
        """Add one epoch to each named curve."""
        for name, loss in losses.items():
            self._curves.setdefault(name, []).append(float(loss))
        if not self._soon.isActive():
            self._soon.start()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw frame, ticks and curves."""
        painter = QPainter(self)
        axes = Axes(painter, self)
        if not self._curves:
            axes.write_in_the_middle("no training yet")
            return
        y = Scale.around(chain(*self._curves.values()), log=True)
        axes.draw_y_ticks(y)
        epochs = max(len(losses) for losses in self._curves.values())
        axes.write_below(f"epoch {epochs}", end=True)
        x = Scale(0, max(1, epochs - 1))
        for place, (name, losses) in enumerate(self._curves.items()):
            colour = COLOURS[place % len(COLOURS)]
            axes.draw_curve(_points(losses, axes, x, y), colour)
            axes.write_below(f"— {name}", place=place)


def _points(
    losses: Sequence[float], axes: Axes, x: Scale, y: Scale
) -> Iterator[QPointF]:
    return (axes.at(x, y, epoch, loss) for epoch, loss in enumerate(losses))


def mean_loss(losses: Mapping[str, float]) -> float:
    """Average the losses of the planes."""
    return sum(losses.values()) / len(losses)
