"""A list of all that can be compared: what to run, and how far each is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
)

from napari_lowdose.compare import Kind
from napari_lowdose.compare.offers import Obstacle, Offer, obstacle_of
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.method_row import (
    CANCEL,
    NAME,
    ROW_PX,
    STATE,
    MethodRow,
    Standing,
    State,
)

_TITLES = {Kind.BASELINE: "baselines", Kind.MODEL: "models", Kind.FILE: "layers"}
Key = tuple[Kind, str]
_MOST_ROWS = 20  # more of them scroll
_TICK_MS = 1000
# The frames of unchecked boxes are as dark as napari's panels.
_STYLE = """QTreeView::indicator:unchecked:enabled {
    width: 9px; height: 9px; border: 1px solid #8a8d93; border-radius: 2px}"""
_CANCEL_PX, _INDENT_PX = 22, 12


class MethodList(QTreeWidget):
    """Check what to compare; see how far each is, and cancel single ones.

    Signals
    -------
    changed
        Emitted when the user has checked something, or no longer.
    cancelled
        Emitted with the name in the comparison of what the user has cancelled.
    """

    changed = Signal()
    cancelled = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._wanted: set[Key] = set()
        self._seen: set[Key] = set()
        self._rows: dict[Offer, MethodRow] = {}
        self._running: dict[str, MethodRow] = {}  # by the name in the comparison
        self._groups = {
            kind: QTreeWidgetItem([title]) for kind, title in _TITLES.items()
        }
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._look()
        self.itemChanged.connect(self._note)
        self.itemExpanded.connect(self._fit)
        self.itemCollapsed.connect(self._fit)

    def _look(self) -> None:
        self.setColumnCount(3)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setStyleSheet(_STYLE)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setIndentation(_INDENT_PX)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(_CANCEL_PX)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(STATE, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(CANCEL, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(CANCEL, _CANCEL_PX)
        for group in self._groups.values():
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.addTopLevelItem(group)
            group.setSizeHint(NAME, QSize(0, ROW_PX))
            # A viewer may hold many layers, and few are results to compare.
            group.setExpanded(group is not self._groups[Kind.FILE])

    def offer(
        self, offers: Sequence[Offer], noisy: Stack | None, refusal: str = ""
    ) -> None:
        """List what can be compared; keep what was checked.

        Parameters
        ----------
        offers
            All methods, those that cannot run among them.
        noisy
            What they would run on; None: not known yet.
        refusal
            Why nothing can run, in one sentence; empty if something can.
        """
        blocked = self.blockSignals(True)
        if [(row.offer, row.offer.name) for row in self._rows.values()] != [
            (offer, offer.name) for offer in offers
        ]:
            self._build(offers)
        for offer, row in self._rows.items():
            if refusal:
                obstacle: Obstacle | None = Obstacle("cannot run", refusal)
            else:
                obstacle = obstacle_of(offer, noisy) if noisy is not None else None
            row.show_choice(wanted=offer.key in self._wanted, obstacle=obstacle)
        self.blockSignals(blocked)
        self._count()
        self._fit()

    def _build(self, offers: Sequence[Offer]) -> None:
        standings = {offer: row.standing for offer, row in self._rows.items()}
        usual = {offer.key for offer in offers if offer.usual}
        self._wanted |= usual - self._seen
        self._seen |= {offer.key for offer in offers}
        self._running = {}
        for group in self._groups.values():
            group.takeChildren()
        self._rows = {}
        for offer in offers:
            row = MethodRow(offer)
            row.standing = standings.get(offer)
            self._groups[offer.kind].addChild(row)
            self._rows[offer] = row
        for group in self._groups.values():
            group.setHidden(not group.childCount())

    @property
    def offers(self) -> Sequence[Offer]:
        """All that is listed."""
        return tuple(self._rows)

    @property
    def chosen(self) -> Sequence[Offer]:
        """What is checked and can run, in the order of the list."""
        return tuple(offer for offer, row in self._rows.items() if row.checked)

    def choose(self, offers: Iterable[Offer]) -> None:
        """Check these and nothing else."""
        self._wanted = {offer.key for offer in offers}
        self._show_wanted()

    def want(self, offer: Offer) -> None:
        """Check one more."""
        self._wanted.add(offer.key)
        self._show_wanted()

    def row_of(self, offer: Offer) -> MethodRow:
        """Find the row of a method."""
        return self._rows[offer]

    def _show_wanted(self) -> None:
        blocked = self.blockSignals(True)
        for offer, row in self._rows.items():
            row.show_choice(wanted=offer.key in self._wanted, obstacle=row.obstacle)
        self.blockSignals(blocked)
        self._count()
        self.changed.emit()

    def _note(self, item: QTreeWidgetItem, column: int) -> None:
        """Remember what the user has checked, also while it cannot run."""
        if column != NAME or not isinstance(item, MethodRow):
            return
        if item.checked:
            self._wanted.add(item.offer.key)
        elif item.obstacle is None:
            self._wanted.discard(item.offer.key)
        self._count()
        self.changed.emit()

    def _count(self) -> None:
        """Say beside each title how many are checked."""
        blocked = self.blockSignals(True)
        for kind, group in self._groups.items():
            rows = [row for offer, row in self._rows.items() if offer.kind is kind]
            n_chosen = sum(row.checked for row in rows)
            group.setText(STATE, f"{n_chosen} of {len(rows)}")
        self.blockSignals(blocked)

    def begin(self, names: Mapping[str, Offer]) -> None:
        """Let methods wait for their turn in a comparison.

        Parameters
        ----------
        names
            The methods by their names in the comparison.
        """
        self.clear_states()
        self._running = {name: self._rows[offer] for name, offer in names.items()}
        blocked = self.blockSignals(True)
        for name, row in self._running.items():
            row.offer_cancelling(partial(self.cancelled.emit, name))
            row.show_standing(Standing())
        self.blockSignals(blocked)
        self._clock.start()

    def clear_states(self) -> None:
        """Forget the last comparison."""
        self._clock.stop()
        self._running = {}
        blocked = self.blockSignals(True)
        for row in self._rows.values():
            row.show_standing(None)
        self.blockSignals(blocked)

    def tell(self, name: str, standing: Standing) -> None:
        """Say how far a method is; names that nobody has chosen count for nothing."""
        row = self._running.get(name)
        if row is None:
            return
        blocked = self.blockSignals(True)
        row.show_standing(standing)
        self.blockSignals(blocked)
        if not self.busy:
            self._clock.stop()

    @property
    def busy(self) -> bool:
        """Whether some method of a comparison is not over."""
        return bool(self.names_in(State.WAITING, State.RUNNING))

    def standing_of(self, name: str) -> Standing | None:
        """Tell how far a method is."""
        row = self._running.get(name)
        return row.standing if row else None

    def names_in(self, *states: State) -> Sequence[str]:
        """Name the methods of the comparison that are in one of these states."""
        rows = self._running.items()
        return [n for n, row in rows if row.standing and row.standing.state in states]

    def _tick(self) -> None:
        """Let the seconds of the running one go on."""
        for name in self.names_in(State.RUNNING):
            standing = self.standing_of(name)
            assert standing is not None
            left = standing.seconds_left
            if left is not None:
                left = max(left - _TICK_MS / 1000, 0.0)
            self.tell(name, replace(standing, seconds_left=left))

    def _fit(self, *_item: object) -> None:
        """Be as high as what is shown."""
        groups = [g for g in self._groups.values() if not g.isHidden()]
        n_rows = sum(1 + (g.childCount() if g.isExpanded() else 0) for g in groups)
        self.setFixedHeight(ROW_PX * min(max(n_rows, 1), _MOST_ROWS) + 4)
