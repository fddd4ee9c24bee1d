"""Turn a settings schema into a form and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from textwrap import fill, shorten
from typing import Any, Generic, TypeVar

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_lowdose.schema import Config, Leaf
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.number_box import NumberBox

C = TypeVar("C", bound=Config)

_UNBOUNDED = 1e12
_LEAST = 1e-12  # what "greater than zero" means in a box of twelve decimals
_UNITS = {  # suffixes of names that are units
    "px": "px",
    "nm": "nm",
    "s": "s",
    "us": "µs",
    "hz": "Hz",
    "deg": "°",
    "kv": "kV",
    "volts": "V",
}
_MEANING_LETTERS = 16  # what a narrow box can show; the tooltip has it all
_LABEL_LETTERS = 18  # longer labels are broken, to leave the editor its room
_ROW_LETTERS = 16  # check boxes with longer names stand one below the other


@dataclass(frozen=True)
class _Field:
    """The editor of one leaf: its widget, and how to read and write it."""

    widget: QWidget
    read: Callable[[], Any]
    write: Callable[[Any], None]


class Form(QWidget, Generic[C]):
    """Edit the fields of a schema, those of nested groups included.

    The law: ``Form(schema).config == schema()`` for every schema.

    Parameters
    ----------
    schema
        What to edit; its fields' bounds, defaults and sentences make the editors.
    hide
        Names of fields, or of groups, that keep their value and are not shown.

    Signals
    -------
    changed
        Emitted when the user, or a new `config`, has changed a value.
    """

    changed = Signal()

    def __init__(
        self,
        schema: type[C],
        *,
        hide: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._config = schema()
        self._fields: dict[tuple[str, ...], _Field] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        group: tuple[str, ...] = ()
        for leaf in schema.leaves():
            if not set(leaf.path) & set(hide):
                if leaf.path[:-1] != group and leaf.path[:-1]:
                    layout.addRow(_heading(leaf.path[-2]))
                group = leaf.path[:-1]
                self._add(layout, leaf)

    def _add(self, layout: QFormLayout, leaf: Leaf) -> None:
        field = _field(leaf, self._tell)
        field.write(leaf.default)
        label = QLabel(fill(label_of(leaf.name), _LABEL_LETTERS))
        for widget in (label, field.widget):
            widget.setToolTip(leaf.sentence)
        self._fields[leaf.path] = field
        layout.addRow(label, field.widget)

    def _tell(self, *_new: object) -> None:
        self.changed.emit()

    @property
    def values(self) -> Mapping[tuple[str, ...], object]:
        """What the shown editors hold, by path, not yet checked."""
        return {path: field.read() for path, field in self._fields.items()}

    @property
    def config(self) -> C:
        """The settings as they stand.

        Raises
        ------
        ValueError
            If they break a rule of the schema, in one sentence.
        """
        return self._config.replaced(self.values)

    @config.setter
    def config(self, config: C) -> None:
        self._config = config
        blocked = self.blockSignals(True)
        for path, field in self._fields.items():
            field.write(config.at(path))
        self.blockSignals(blocked)
        self.changed.emit()

    def editor(self, *path: str) -> QWidget:
        """Find the widget that edits the field at `path`."""
        return self._fields[path].widget


def label_of(name: str) -> str:
    """Turn a field's name into words, its unit in brackets."""
    *words, last = name.removeprefix("n_").split("_")
    if words and last in _UNITS:
        return f"{' '.join(words)} ({_UNITS[last]})"
    return " ".join((*words, last))


def _heading(group: str) -> QLabel:
    heading = QLabel(group)
    font = heading.font()
    font.setItalic(True)
    heading.setFont(font)
    return heading


def _field(leaf: Leaf, changed: Callable[..., None]) -> _Field:
    """Choose the editor that suits a leaf's type."""
    if leaf.many and leaf.kind is str and not leaf.registry:
        return _listed(changed)
    if leaf.many:
        return _check_boxes(leaf, changed)
    if leaf.registry or issubclass(leaf.kind, StrEnum):
        return _combo(leaf, changed)
    if leaf.kind is bool:
        return _check_box(changed)
    if leaf.kind in (int, float):
        return _number(leaf, changed)
    if leaf.kind is str:
        return _line(leaf, changed)
    raise TypeError(f"no editor for {leaf.name} of type {leaf.kind}; add one here")


def _choices(leaf: Leaf) -> tuple[Any, ...]:
    return leaf.registry.choices() if leaf.registry else tuple(leaf.kind)


def _combo(leaf: Leaf, changed: Callable[..., None]) -> _Field:
    combo = Choice()
    choices = _choices(leaf)
    combo.offer(choices, [_words(choice) for choice in choices])
    combo.chosen.connect(changed)

    def write(value: object) -> None:
        combo.value = value

    return _Field(combo, lambda: combo.value, write)


def _check_boxes(leaf: Leaf, changed: Callable[..., None]) -> _Field:
    row = QWidget()
    boxes = {choice: QCheckBox(_words(choice)) for choice in _choices(leaf)}
    short = sum(len(box.text()) for box in boxes.values()) <= _ROW_LETTERS
    layout = QHBoxLayout(row) if short else QVBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for box in boxes.values():
        layout.addWidget(box)
        box.toggled.connect(changed)

    def write(chosen: Collection[object]) -> None:
        for choice, box in boxes.items():
            box.setChecked(choice in chosen)

    return _Field(
        row, lambda: tuple(c for c, box in boxes.items() if box.isChecked()), write
    )


def _listed(changed: Callable[..., None]) -> _Field:
    """Edit any number of words, with commas between."""
    line = QLineEdit()
    line.textChanged.connect(changed)

    def read() -> tuple[str, ...]:
        return tuple(word.strip() for word in line.text().split(",") if word.strip())

    return _Field(line, read, lambda words: line.setText(", ".join(words)))


def _check_box(changed: Callable[..., None]) -> _Field:
    box = QCheckBox()
    box.toggled.connect(changed)
    return _Field(box, box.isChecked, box.setChecked)


def _number(leaf: Leaf, changed: Callable[..., None]) -> _Field:
    whole = leaf.kind is int
    # Integers have a neighbour; "greater than" means from the next one on.
    gap = 1 if whole else _LEAST
    low, above = leaf.bound(Ge, "ge"), leaf.bound(Gt, "gt")
    high, below = leaf.bound(Le, "le"), leaf.bound(Lt, "lt")
    if low is None:
        low = -_UNBOUNDED if above is None else above + gap
    if high is None:
        high = _UNBOUNDED if below is None else below - gap
    box = NumberBox(
        whole=whole,
        low=low,
        high=high,
        step=leaf.bound(MultipleOf, "multiple_of"),
        meaning_of_low=_shortened(_meaning(leaf, f"{low:g}")),
    )
    box.valueChanged.connect(changed)
    return _Field(box, lambda: box.number, box.setValue)


def _line(leaf: Leaf, changed: Callable[..., None]) -> _Field:
    line = QLineEdit()
    line.setPlaceholderText(_meaning(leaf, "empty"))
    line.textChanged.connect(changed)
    return _Field(line, lambda: line.text().strip(), line.setText)


def _meaning(leaf: Leaf, value: str) -> str:
    """Find what a sentence says a value stands for, as in ``0: as the file says``."""
    found = re.search(rf"(?<![\w.-]){re.escape(value)}: ([^;.]+)", leaf.sentence)
    return found.group(1) if found else ""


def _shortened(meaning: str) -> str:
    return shorten(meaning, _MEANING_LETTERS, placeholder="…")


def _words(choice: str) -> str:
    return str(choice).replace("_", " ")
