"""All that is known of one particle: pictures, its course in time, and words."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_lowdose.trust.words import in_words
from napari_lowdose.widgets.closeup import CloseUp
from napari_lowdose.widgets.findings import Findings
from napari_lowdose.widgets.panel import wrapped_label
from napari_lowdose.widgets.trace_plot import TracePlot
from napari_lowdose.widgets.verdicts import look_of, ring_radius


class ParticleView(QWidget):
    """The raw counts and each estimate around a particle, and what they amount to.

    Signals
    -------
    frame_picked
        Emitted with the frame at which the plot is clicked.
    """

    frame_picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.close_up = CloseUp()
        self.trace = TracePlot()
        self.words = wrapped_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.close_up, self.trace, self.words):
            column.addWidget(widget)
        self.trace.picked.connect(self.frame_picked)

    def clear(self) -> None:
        """Show no particle."""
        self.close_up.clear()
        self.trace.clear()
        self.words.setText("")

    def show_particle(self, findings: Findings, number: int) -> None:
        """Show one particle in one of its frames."""
        row = findings.row(number)
        self.close_up.show_cuts(
            findings.cuts(number),
            y=float(row["y"]) - round(row["y"]),
            x=float(row["x"]) - round(row["x"]),
            radius=ring_radius(float(row["sigma"])),
            colour=look_of(row["verdict"]).colour,
        )
        self.trace.show_trace(findings.trace(number), int(row["frame"]))
        self.words.setText(in_words(row))

    def mark_frame(self, frame: int) -> None:
        """Mark in the plot which frame is looked at."""
        self.trace.mark_frame(frame)
