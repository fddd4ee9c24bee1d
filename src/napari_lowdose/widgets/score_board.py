"""The scores of a comparison: of the whole movie, or live of a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import cast

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from napari_lowdose.compare import MAIN_SCORES, SCORES, Result
from napari_lowdose.compare.region import (
    Region,
    RegionJudge,
    comparison_behind,
)
from napari_lowdose.compare.table import with_differences
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.compared import NOISY, Compared
from napari_lowdose.widgets.latest import panel_of
from napari_lowdose.widgets.panel import Panel, wrapped_label
from napari_lowdose.widgets.region_choice import RegionChoice
from napari_lowdose.widgets.score_column import MEMORY, TIME, columns_of
from napari_lowdose.widgets.score_table import ScoreTable

_SOON_MS = 40  # to gather what changes at once, and to let the viewer draw first
_REFILL_S = 0.25  # between two fillings while a slow region is scored
_BESIDE = (TIME, MEMORY, *MAIN_SCORES)
_OF_REGION = ("mse", "bias", "residual_mean")


class ScoreBoard(QWidget):
    """A table of methods and scores, and what part of the movie they are of.

    Scores of a region are made in the background, when camera, frame or rectangle have
    changed; the heading says what the numbers are of. It must lie in a panel.

    Parameters
    ----------
    viewer
        Where the layers are.

    Signals
    -------
    picked
        Emitted with a method's name when its row is chosen.
    """

    picked = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._compared: Compared | None = None
        self._judge: RegionJudge | None = None
        self._work: Background | None = None
        self._scored: dict[str, Result] = {}
        self._filled = 0.0
        self._heard: Panel | None = None
        self.choice = RegionChoice(viewer)
        self.columns = _ColumnMenu()
        self.heading = wrapped_label()
        self.table = ScoreTable(SCORES)
        self.table.show_columns(self.columns.names)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._lay_out()
        self._soon.timeout.connect(self._score)
        self.choice.changed.connect(self._score_soon)
        self.columns.chosen.connect(self.table.show_columns)
        self.table.picked.connect(self.picked)
        self._show_whole()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.heading, 1)
        row.addWidget(self.columns)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.choice)
        column.addLayout(row)
        column.addWidget(self.table)

    def follow(self, compared: Compared | None) -> None:
        """Show the scores of another comparison; None: of none."""
        if self._compared is not None:
            self._compared.changed.disconnect(self._hear)
        self._compared, self._judge, self._scored = compared, None, {}
        if compared is not None:
            compared.changed.connect(self._hear)
        self._hear()

    def pick(self, method: str) -> None:
        """Choose a method's row without telling so."""
        self.table.pick(method)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Learn of the panel's closing."""
        super().showEvent(event)
        panel = panel_of(self)
        if panel is not None and panel is not self._heard:
            self._heard = panel
            panel.closed.connect(self._leave)

    def _leave(self) -> None:
        self._stop()
        self.choice.leave()

    def _hear(self) -> None:
        layer = self._compared.layers.get(NOISY) if self._compared else None
        self._judge = None  # gain and offset may be known by now
        self.choice.follow(layer if isinstance(layer, Image) else None)
        self._score_soon()

    def _score_soon(self) -> None:
        """Gather changes; not put off by new ones, so that a drag is followed."""
        if self.choice.whole or self._compared is None:
            self._stop()
            self._show_whole()
        elif not self._soon.isActive():
            self._soon.start()

    def _score(self) -> None:
        """Begin with the region of this moment, and let go of an earlier one."""
        self._stop()
        compared = self._compared
        if compared is None:
            return
        try:
            region = self.choice.region
        except ValueError as error:
            self._show({}, str(error))
            return
        panel = panel_of(self)
        if region is None or panel is None:
            self._show_whole()
            return
        results = [one for one in compared.results if one.stack is not None]
        if self._judge is None:
            self._judge = RegionJudge(
                compared.noisy, compared.truth, comparison_behind(compared.results)
            )
        steps = partial(_judged, self._judge, results, region)
        work = Background(steps, title="Scoring", panel=panel, quiet=True)
        self._work, self._scored, self._filled = work, {}, monotonic()
        work.came.connect(partial(self._take, work, region, len(results)))
        work.ended.connect(partial(self._end, work, region))
        work.start()

    def _take(
        self, work: Background, region: Region, total: int, found: Result | str
    ) -> None:
        if work is not self._work:
            return
        if isinstance(found, str):  # why it cannot be scored
            self._work = None
            self._show({}, found)
            return
        self._scored[found.name] = found
        now = monotonic()
        if now - self._filled > _REFILL_S:
            self._filled = now
            done = f" – {len(self._scored)} of {total} methods"
            self._show(self._scored, f"region {region.words}{done}")

    def _end(self, work: Background, region: Region, _well: bool) -> None:
        if work is self._work:
            self._work = None
            self._show(self._scored, f"region {region.words}")

    def _stop(self) -> None:
        self._soon.stop()
        work, self._work = self._work, None
        if work is not None:
            work.abandon()

    def _show_whole(self) -> None:
        results = () if self._compared is None else self._compared.results
        self.table.show_results(with_differences(results))
        self.heading.setText("whole movie")

    def _show(self, scored: dict[str, Result], heading: str) -> None:
        """Show scores of a region; nobody shall take the movie's for them."""
        results = () if self._compared is None else self._compared.results
        nothing = [replace(one, scores={}, std_errors={}, tiles=()) for one in results]
        shown = [scored.get(one.name, one) for one in nothing]
        self.table.show_results(with_differences(shown))
        self.heading.setText(heading)


class _ColumnMenu(QToolButton):
    """A button whose menu lists the columns to show."""

    chosen = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setText("columns ▾")
        self.setStyleSheet("QToolButton::menu-indicator {image: none}")  # it overlaps
        self.setToolTip("Which scores to show, where they are known")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        every = {column.name: column for column in columns_of(SCORES)}
        ordered = dict.fromkeys((*_BESIDE, *every))
        for name in ordered:
            column = every[name]
            action = menu.addAction(column.label)
            action.setCheckable(True)
            action.setChecked(name in (*_BESIDE, *_OF_REGION))
            action.setData(name)
            action.setToolTip(column.tooltip)
            action.toggled.connect(lambda _on: self.chosen.emit(self.names))
        self.setMenu(menu)

    @property
    def names(self) -> Sequence[str]:
        """The chosen columns, from left to right."""
        actions = self.menu().actions()
        return [cast("str", one.data()) for one in actions if one.isChecked()]


def _judged(
    judge: RegionJudge, results: Sequence[Result], region: Region
) -> Iterator[Result]:
    yield from judge.judged(results, region)
