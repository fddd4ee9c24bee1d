"""A plot of the held-out loss in time, as a change from that of the base model."""

from __future__ import annotations

from qtpy.QtGui import QPainter, QPaintEvent

from napari_lowdose.compare.scale import Scale
from napari_lowdose.widgets.axes import COLOURS, Axes, Plot

_ROOM = 0.08  # above and below the curves, as a share of their height


class HeldOutPlot(Plot):
    """Losses on frames that are not trained on, and a line where the base model is."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds: list[float] = []
        self._losses: list[float] = []
        self.setToolTip(
            "Mean squared error on held-out frames, in units of the noise's variance. "
            "Without a reference the frames' own noise is in it, the same in all."
        )

    @property
    def losses(self) -> list[float]:
        """What is plotted; the first is that of the base model."""
        return list(self._losses)

    def clear(self) -> None:
        """Forget the curve."""
        self._seconds, self._losses = [], []
        self.update()

    def append(self, seconds: float, loss: float) -> None:
        """Add a validation; the first is that of the base model."""
        self._seconds.append(seconds)
        self._losses.append(loss)
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw frame, ticks, the curve and the base model's line."""
        painter = QPainter(self)
        axes = Axes(painter, self)
        if not self._losses:
            axes.write_in_the_middle("no fine-tuning yet")
            return
        # Differences from the base model are small beside what both have in common.
        change = [100 * (loss / self._losses[0] - 1) for loss in self._losses]
        y = Scale.around(change).wider(_ROOM)
        x = Scale(0.0, max(1.0, self._seconds[-1]))
        axes.draw_y_ticks(y)
        axes.write_below(f"{self._seconds[-1]:.0f} s", end=True)
        axes.draw_curve((axes.at(x, y, t, 0.0) for t in (x.low, x.high)), COLOURS[1])
        curve = zip(self._seconds, change, strict=True)
        axes.draw_curve((axes.at(x, y, t, value) for t, value in curve), COLOURS[0])
        for place, name in enumerate(("held out, %", "base model")):
            axes.write_below(f"— {name}", place=place, colour=COLOURS[place])
