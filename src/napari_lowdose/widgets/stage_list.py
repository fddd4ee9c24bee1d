"""Choose the stages of a recording and edit their settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_lowdose.noise import STAGES, Stage
from napari_lowdose.noise.recipe import name_of
from napari_lowdose.widgets.form import Form

_INDENT_PX = 18


class StageRow(QWidget):
    """A check box for a stage; below it the stage's form, which folds.

    Parameters
    ----------
    name
        Under which `STAGES` lists it.

    Signals
    -------
    changed
        Emitted when the stage is switched on or off, or a setting changes.
    """

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.schema = STAGES[name]
        self.box = QCheckBox(name.replace("_", " "))
        self.arrow = QToolButton()
        self.arrow.setCheckable(True)
        self.arrow.setStyleSheet("QToolButton {border: none; background: transparent}")
        self.arrow.setToolTip("Show or hide the settings of this stage")
        self._form: Form[Stage] | None = None
        self._below = QVBoxLayout(self)
        self._below.setContentsMargins(0, 0, 0, 0)
        self._below.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(self.box, 1)
        head.addWidget(self.arrow)
        self._below.addLayout(head)
        self.box.setToolTip(" ".join((self.schema.__doc__ or "").split()))
        self.box.clicked.connect(self.arrow.setChecked)
        self.box.toggled.connect(self._fold)
        self.box.toggled.connect(lambda _on: self.changed.emit())
        self.arrow.toggled.connect(self._fold)
        self._fold()

    @property
    def form(self) -> Form[Stage]:
        """The settings; made when they are needed first."""
        if self._form is None:
            self._form = Form(self.schema)
            self._form.layout().setContentsMargins(_INDENT_PX, 0, 0, 4)
            self._form.changed.connect(self.changed)
            self._below.addWidget(self._form)
        return self._form

    @property
    def stage(self) -> Stage:
        """The stage as it is set."""
        return self.form.config

    def show_stage(self, stage: Stage | None) -> None:
        """Switch on with the settings of a stage, or off; folded either way."""
        if stage is not None:
            self.form.config = stage
        self.arrow.setChecked(False)
        self.box.setChecked(stage is not None)

    def _fold(self, _on: bool = False) -> None:
        on = self.box.isChecked() and bool(self.schema.model_fields)
        unfolded = on and self.arrow.isChecked()
        kind = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.LeftArrow
        self.arrow.setArrowType(kind)
        self.arrow.setVisible(on)
        if unfolded or self._form is not None:
            self.form.setVisible(unfolded)


class StageList(QWidget):
    """All stages in their usual order, or in that of the recipe that was set.

    Signals
    -------
    changed
        Emitted when the user, or a new `config`, has changed something.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[StageRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._build([*STAGES])

    @property
    def rows(self) -> Sequence[StageRow]:
        """The rows from top to bottom."""
        return tuple(self._rows)

    def row(self, name: str) -> StageRow:
        """Find the first row of a stage."""
        return next(row for row in self._rows if row.name == name)

    @property
    def config(self) -> tuple[Stage, ...]:
        """The stages that are switched on.

        Raises
        ------
        ValueError
            If one's settings break a rule, in one sentence.
        """
        return tuple(row.stage for row in self._rows if row.box.isChecked())

    @config.setter
    def config(self, stages: Sequence[Stage]) -> None:
        names = [name_of(stage) for stage in stages]
        blocked = self.blockSignals(True)
        self._build(_completed(names))
        rest = [*stages]
        for row in self._rows:
            on = bool(rest) and row.name == name_of(rest[0])
            row.show_stage(rest.pop(0) if on else None)
        self.blockSignals(blocked)
        self.changed.emit()

    def _build(self, names: Sequence[str]) -> None:
        """Have one row for each name; keep those there are if they fit."""
        if [row.name for row in self._rows] == [*names]:
            return
        for row in self._rows:
            row.setParent(None)
            row.deleteLater()
        self._rows = [StageRow(name) for name in names]
        for row in self._rows:
            row.changed.connect(self.changed)
            self._column.addWidget(row)


def _completed(names: Iterable[str]) -> list[str]:
    """Add the stages that a recipe lacks, each after those that usually precede it."""
    order = [*STAGES]
    completed = [*names]
    for rank, name in enumerate(order):
        if name not in completed:
            before = set(order[:rank])
            places = [i for i, other in enumerate(completed, 1) if other in before]
            completed.insert(max(places, default=0), name)
    return completed
