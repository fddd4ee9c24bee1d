"""The common body of the dock widgets: sections that fold, in a scroll area."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from napari.components import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_lowdose.errors import LowDoseError
from napari_lowdose.widgets.layer_choice import LayerChoice

WIDTH_PX = 340


class Section(QWidget):
    """A title that shows or hides what is below it.

    Not superqt's collapsible, which clips what is added after it was expanded.
    """

    def __init__(self, title: str, *, expanded: bool = True) -> None:
        super().__init__()
        self.head = QToolButton()
        self.head.setText(title)
        self.head.setCheckable(True)
        self.head.setChecked(expanded)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.head.setStyleSheet(
            "QToolButton {font-weight: bold; border: none; text-align: left;"
            " padding: 3px; background: transparent}"
        )
        self.body = QWidget()
        self.rows = QFormLayout(self.body)
        self.rows.setContentsMargins(8, 0, 4, 6)
        self.rows.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.head)
        layout.addWidget(self.body)
        self.head.toggled.connect(self._fold)
        self._fold(expanded)

    def _fold(self, expanded: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if expanded else Qt.ArrowType.RightArrow
        self.head.setArrowType(arrow)
        self.body.setVisible(expanded)


class Panel(QScrollArea):
    """A dock widget: sections in a column, a status line at its end.

    Signals
    -------
    closed
        Emitted when the dock is closed; a hidden one stays open.
    """

    closed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer_choices: list[LayerChoice] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(WIDTH_PX - 40)
        self._column = QWidget()
        self._layout = QVBoxLayout(self._column)
        self._layout.setContentsMargins(4, 4, 4, 4)
        self._layout.setSpacing(4)
        self.status = wrapped_label()
        self.status.setContentsMargins(8, 2, 4, 2)
        self._layout.addWidget(self.status)
        self._layout.addStretch(1)
        self.setWidget(self._column)

    def sizeHint(self) -> QSize:
        """Ask for the same width whatever is inside."""
        return QSize(WIDTH_PX, 640)

    def section(self, title: str, *, expanded: bool = True) -> Section:
        """Add a section above the status line."""
        section = Section(title, expanded=expanded)
        self._layout.insertWidget(self._layout.count() - 2, section)
        return section

    def add_row(self, row: QLayout) -> None:
        """Add widgets that need no title above the status line."""
        row.setContentsMargins(8, 4, 4, 4)
        self._layout.insertLayout(self._layout.count() - 2, row)

    def layer_choice(self, none: str = "") -> LayerChoice:
        """Make a combo box that follows the viewer's layers.

        Parameters
        ----------
        none
            Words for choosing no layer; empty: one must be chosen.
        """
        choice = LayerChoice(self._viewer, none)
        self._layer_choices.append(choice)
        return choice

    def reset_choices(self, _event: object = None) -> None:
        """Follow the layer list; napari calls this when layers come, go or move."""
        for choice in self._layer_choices:
            choice.follow()

    def say(self, text: str) -> None:
        """Tell the user how things stand."""
        self.status.setText(text)

    def fail(self, text: str) -> None:
        """Tell the user what went wrong, here and as a notification."""
        self.say(text)
        show_error(text)

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Turn what the user can put right into one sentence.

        Without this, an error in a button's callback would arrive as a traceback.
        """
        try:
            yield
        except (LowDoseError, ValueError, OSError) as error:
            self.fail(str(error))

    def event(self, event: QEvent | None) -> bool:
        """Notice the dock's X, which takes the panel out and may keep it alive."""
        handled = super().event(event)
        moved = event is not None and event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is None:
            self.closed.emit()
        return handled


def wrapped_label(text: str = "") -> QLabel:
    """Make a label that breaks its lines instead of widening the panel."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def button(text: str, tooltip: str, *, enabled: bool = True) -> QPushButton:
    """Make a push button that says what it does."""
    made = QPushButton(text)
    made.setToolTip(tooltip)
    made.setEnabled(enabled)
    return made


def in_a_row(*widgets: QWidget) -> QLayout:
    """Put widgets beside one another."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return row
