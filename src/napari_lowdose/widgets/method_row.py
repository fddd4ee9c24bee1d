"""One method in the list of those that can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from time import monotonic

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QToolButton, QTreeWidgetItem

from napari_lowdose.compare.offers import Obstacle, Offer
from napari_lowdose.widgets.progress_bar import time_left

NAME, STATE, CANCEL = range(3)  # columns
ROW_PX = 20
_FAILED = QColor("#ff7b72")


class State(StrEnum):
    """How far a method is in a comparison."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Standing:
    """How a method stands in a comparison.

    Parameters
    ----------
    state
        How far it is.
    reason
        Why it failed, in one sentence.
    seconds
        What it took; NaN where that is not known.
    cached
        Whether it was there from an earlier comparison.
    share, seconds_left
        How far a running one is, and how long it will take, if it tells.
    since
        When it began.
    """

    state: State = State.WAITING
    reason: str = ""
    seconds: float = float("nan")
    cached: bool = False
    share: float | None = None
    seconds_left: float | None = None
    since: float = field(default_factory=monotonic)

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in (State.WAITING, State.RUNNING)

    def later(self, share: float | None, seconds_left: float | None) -> Standing:
        """Take in how far a running one is by now."""
        return replace(self, share=share, seconds_left=seconds_left)

    @property
    def words(self) -> str:
        """Say it in the room that a row has."""
        if self.state is State.RUNNING:
            if self.share is None or self.seconds_left is None:
                return f"running {_duration(monotonic() - self.since)}"
            return f"{self.share:.0%}, {time_left(self.seconds_left)}"
        if self.state is State.DONE and self.cached:
            return "from cache"
        if self.state is State.DONE and isfinite(self.seconds):
            return f"done in {_duration(self.seconds, exact=True)}"
        return str(self.state)

    @property
    def sentence(self) -> str:
        """Say more to whoever points at it."""
        if self.cached and isfinite(self.seconds):
            took = _duration(self.seconds, exact=True)
            return f"Kept from an earlier comparison, where it took {took}"
        return self.reason


class MethodRow(QTreeWidgetItem):
    """A check box, a state, and a button that cancels.

    Parameters
    ----------
    offer
        The method.
    """

    def __init__(self, offer: Offer) -> None:
        super().__init__([offer.name, "", ""])
        self.offer = offer
        self.obstacle: Obstacle | None = None
        self.standing: Standing | None = None
        self.setToolTip(NAME, offer.summary)
        self.setSizeHint(NAME, QSize(0, ROW_PX))

    @property
    def checked(self) -> bool:
        """Whether the user wants it and it can run."""
        return self.checkState(NAME) == Qt.CheckState.Checked

    def show_choice(self, *, wanted: bool, obstacle: Obstacle | None) -> None:
        """Check it or not; grey it out where something stands in the way."""
        self.obstacle = obstacle
        on = wanted and obstacle is None
        self.setCheckState(
            NAME, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        )
        self.setDisabled(obstacle is not None)
        hint = self.offer.summary
        if obstacle is not None:
            hint = f"{hint}\nCannot run: {obstacle.sentence}"
        self.setToolTip(NAME, hint)
        self.show_standing(self.standing)

    def show_standing(self, standing: Standing | None) -> None:
        """Say how far it is; nothing when there is no comparison."""
        self.standing = standing
        words, hint = "", ""
        if standing is not None:
            words, hint = standing.words, standing.sentence
        elif self.obstacle is not None:
            words, hint = self.obstacle.words, self.obstacle.sentence
        if self.text(STATE) != words:  # each repaint recomposes the window
            self.setText(STATE, words)
        self.setToolTip(STATE, hint)
        failed = standing is not None and standing.state is State.FAILED
        self.setForeground(STATE, QBrush(_FAILED) if failed else QBrush())
        if standing is None or standing.over:
            self.withdraw_cancelling()

    def offer_cancelling(self, cancel: Callable[[], None]) -> None:
        """Show a button that cancels it, until it is over."""
        tree = self.treeWidget()
        button = QToolButton()
        button.setText("×")
        button.setToolTip(f"Cancel {self.offer.name}; the others go on")
        button.setStyleSheet("QToolButton {border: none; padding: 0px}")
        button.clicked.connect(lambda _checked: cancel())
        if tree is not None:
            tree.setItemWidget(self, CANCEL, button)

    @property
    def cancel_button(self) -> QToolButton | None:
        """The button that cancels it, while there is one."""
        tree = self.treeWidget()
        return None if tree is None else tree.itemWidget(self, CANCEL)

    def withdraw_cancelling(self) -> None:
        """Take the button away; one that is only hidden, the tree would show again."""
        tree, button = self.treeWidget(), self.cancel_button
        if tree is not None and button is not None:
            button.hide()
            tree.removeItemWidget(self, CANCEL)


def _duration(seconds: float, *, exact: bool = False) -> str:
    """Say how long something took or takes, as roughly as one needs it."""
    if seconds < 10 and exact:
        return f"{seconds:.2g} s" if seconds >= 0.01 else "0.01 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
