"""Ways to look at a comparison: side by side, in turn, along time, along a line."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_lowdose.errors import LowDoseError
from napari_lowdose.widgets.compared import NOISY, Compared
from napari_lowdose.widgets.differences import add_difference
from napari_lowdose.widgets.latest import panel_of
from napari_lowdose.widgets.line_profile import LineProfile
from napari_lowdose.widgets.panel import button, in_a_row
from napari_lowdose.widgets.side_views import TITLE, SideViews
from napari_lowdose.widgets.view_controls import Mode
from napari_lowdose.widgets.view_modes import ViewModes

_SETTLE_MS = 100


class ViewTools(QWidget):
    """Buttons that show the results of a comparison in many ways.

    Parameters
    ----------
    viewer
        Where the layers are.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._panel: QWidget | None = None
        self.modes = ViewModes(viewer)
        self.difference = button("Difference A − B", "")
        self.residual = button("Residual", "")
        self.along_time = _switch(
            TITLE, "Show one row and one column over time, for all methods"
        )
        self.along_line = _switch(
            "Line profile",
            "Plot the counts along a line that you draw, for all methods",
        )
        self.sides: SideViews | None = None
        self.profile: LineProfile | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.modes)
        self._column.addLayout(in_a_row(self.difference, self.residual))
        self._column.addLayout(in_a_row(self.along_time, self.along_line))
        self._fit_soon = QTimer(self)  # once the canvas has its new size
        self._fit_soon.setSingleShot(True)
        self._fit_soon.setInterval(_SETTLE_MS)
        self._wire()
        self._follow_modes()

    def _wire(self) -> None:
        self._fit_soon.timeout.connect(self.modes.fit)
        self.modes.changed.connect(self._follow_modes)
        self.difference.clicked.connect(self._add_difference)
        self.residual.clicked.connect(self._add_residual)
        self.along_time.clicked.connect(self._switch_sides)
        self.along_line.clicked.connect(self._switch_profile)

    def follow(self, compared: Compared | None) -> None:
        """Look at another comparison; None: at none, with all layers as before."""
        self._notice_closing()
        self._close_sides()
        self._close_profile()
        self.modes.follow(compared)

    def _notice_closing(self) -> None:
        """Clear up when the panel around this is closed."""
        panel = panel_of(self)
        if panel is not None and panel is not self._panel:
            self._panel = panel
            panel.closed.connect(lambda: self.follow(None))

    def _follow_modes(self) -> None:
        """Show the methods that are looked at, and enable what can be clicked."""
        shown = self.modes.shown
        a, b, one = self.modes.a.value, self.modes.b.value, self._denoised
        self.difference.setEnabled(a is not None and a != b)
        self.difference.setToolTip(
            f"Add a layer with what {a} shows and {b} does not: red where {a} is "
            "brighter, blue where it is darker"
        )
        noisy = self.modes.layer_of(NOISY)
        self.residual.setEnabled(noisy is not None and one not in (None, NOISY))
        self.residual.setToolTip(
            f"Add a layer with what {one} took away, {NOISY} − {one}: nothing but "
            "noise should be left in it"
        )
        self.along_time.setEnabled(bool(shown))
        self.along_line.setEnabled(bool(shown))
        for tool in (self.sides, self.profile):
            if tool is not None:
                tool.show_layers(shown)

    # -- differences ---------------------------------------------------------------

    def _add_difference(self, _checked: bool = False) -> None:
        self._add(self.modes.a.value, self.modes.b.value)

    def _add_residual(self, _checked: bool = False) -> None:
        self._add(NOISY, self._denoised)

    @property
    def _denoised(self) -> str | None:
        """The method whose residual is meant: A, or B where A is the noisy stack."""
        a, b = self.modes.a.value, self.modes.b.value
        return b if a == NOISY else a

    def _add(self, first: str | None, second: str | None) -> None:
        of, less = self.modes.layer_of(first), self.modes.layer_of(second)
        if of is None or less is None or first is None or second is None:
            return
        try:
            layer = add_difference(self._viewer, of, less, names=(first, second))
        except (LowDoseError, ValueError) as error:
            show_error(str(error))
        else:
            self.modes.add(layer)

    # -- along time and along a line -----------------------------------------------

    def _switch_sides(self, on: bool) -> None:
        self._close_sides()
        if on and self.modes.shown:
            self.sides = SideViews(self._viewer, self, self.modes.shown)
            self.sides.closed.connect(self._close_sides)
            window: Any = getattr(self._viewer, "window", None)
            if window is not None:
                window.add_dock_widget(self.sides, name=TITLE, area="bottom")
            self._fit_soon.start()
        self.along_time.setChecked(self.sides is not None)

    def _close_sides(self) -> None:
        sides, self.sides = self.sides, None
        self.along_time.setChecked(False)
        if sides is None:
            return
        sides.leave()
        if sides.parent() is not None:
            self._viewer.window.remove_dock_widget(sides)
        sides.deleteLater()
        self._fit_soon.start()

    def _switch_profile(self, on: bool) -> None:
        self._close_profile()
        if on and self.modes.shown:
            if self.modes.mode is Mode.GRID:
                # In a grid, the line would have a box of its own.
                self.modes.choose(Mode.SINGLE)
            self.profile = LineProfile(self._viewer, self.modes.shown)
            self.profile.closed.connect(self._close_profile)
            self._column.addWidget(self.profile)
        self.along_line.setChecked(self.profile is not None)

    def _close_profile(self) -> None:
        line, self.profile = self.profile, None
        self.along_line.setChecked(False)
        if line is not None:
            line.leave()
            self._column.removeWidget(line)
            line.deleteLater()


def _switch(text: str, tooltip: str) -> QPushButton:
    made = button(text, tooltip)
    made.setCheckable(True)
    return made
