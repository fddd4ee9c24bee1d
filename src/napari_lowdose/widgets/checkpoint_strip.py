"""Pictures of what a fine-tuning made of a frame, one for each validation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QFont, QIcon, QImage, QMouseEvent, QPixmap
from qtpy.QtWidgets import QFrame, QListView, QListWidget, QListWidgetItem

from napari_lowdose.widgets.layers import Limits, contrast_limits

_SIDE_PX = 84
_MOST = 24  # as many models as are kept to choose from


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a fine-tuning was at one of its validations.

    Parameters
    ----------
    number
        0 is the base model itself.
    seconds, loss, base_loss, best
        When it was, and how good on held-out frames.
    image, frame
        One denoised frame, and which.
    seen
        From which to before which row and column the frame is denoised.
    model
        The content of the model file; nothing for the base model.
    """

    number: int
    seconds: float
    loss: float
    base_loss: float
    best: bool
    image: Float[ndarray, "y x"] = field(repr=False)
    frame: int
    seen: tuple[int, int, int, int]
    model: bytes = field(repr=False)

    @property
    def gain(self) -> float:
        """By how much of the base model's loss its own is lower."""
        return 1 - self.loss / self.base_loss


class CheckpointStrip(QListWidget):
    """Pictures in a row, all in one contrast; one may be picked, or none.

    When there are too many, those go that are nearest in time to their neighbours.

    Signals
    -------
    picked
        Emitted when another checkpoint is picked, or none.
    """

    picked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._checkpoints: list[Checkpoint] = []
        self._limits: Limits = (0.0, 1.0)
        self._picked_before: Checkpoint | None = None
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(_SIDE_PX, _SIDE_PX))
        self.setSpacing(2)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setToolTip("Click a picture to see it in the viewer; again to let it go")
        self.setFixedHeight(_SIDE_PX + 62)
        self.itemSelectionChanged.connect(self.picked.emit)
        self.itemClicked.connect(self._let_go)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """All there are, in order."""
        return tuple(self._checkpoints)

    @property
    def chosen(self) -> Checkpoint | None:
        """The one that is picked, if any."""
        rows = [index.row() for index in self.selectedIndexes()]
        return self._checkpoints[rows[0]] if rows else None

    @property
    def best(self) -> Checkpoint | None:
        """The best on held-out frames, if one is better than the base model."""
        better = [one for one in self._checkpoints if one.best]
        return better[-1] if better else None

    def clear_all(self) -> None:
        """Forget all."""
        self._checkpoints, self._picked_before = [], None
        self.clear()

    def add(self, checkpoint: Checkpoint) -> None:
        """Put a picture at the end, and move there unless one is picked."""
        part = _middle(checkpoint)
        if not self._checkpoints:
            self._limits = contrast_limits(part[np.newaxis])
        self._checkpoints.append(checkpoint)
        item = QListWidgetItem(_icon(part, self._limits), "")
        item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.addItem(item)
        self._thin_out()
        self._write_below()
        if self.chosen is None:
            self.scrollToItem(item)

    def mark_kept(self, checkpoint: Checkpoint, name: str) -> None:
        """Say that a checkpoint is in a model file now."""
        if checkpoint in self._checkpoints:
            item = self._item(self._checkpoints.index(checkpoint))
            item.setData(Qt.ItemDataRole.UserRole, name)
            self._write_below()

    def is_kept(self, checkpoint: Checkpoint) -> bool:
        """Tell whether a checkpoint is in a model file already."""
        item = self._item(self._checkpoints.index(checkpoint))
        return bool(item.data(Qt.ItemDataRole.UserRole))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Remember what was picked before, for a second click."""
        self._picked_before = self.chosen
        super().mousePressEvent(event)

    def _let_go(self, _item: QListWidgetItem) -> None:
        """Pick nothing, if the click was on what was picked already."""
        if self.chosen is not None and self.chosen is self._picked_before:
            self.clearSelection()

    def _item(self, row: int) -> QListWidgetItem:
        item = self.item(row)
        assert item is not None
        return item

    def _write_below(self) -> None:
        best = self.best
        for row, one in enumerate(self._checkpoints):
            item = self._item(row)
            name = item.data(Qt.ItemDataRole.UserRole)
            when = f"{one.seconds:.0f} s" if one.number else "base"
            marks = f"{'★ ' if one is best else ''}{when}{' ✓' if name else ''}"
            lines = [marks, f"{one.loss:.5g}"]
            lines += [f"{-one.gain:+.2%}"] if one.number else []
            item.setText("\n".join(lines))
            font = QFont(item.font())
            font.setBold(one is best)
            item.setFont(font)
            item.setToolTip(_words(one, name, best=one is best))

    def _thin_out(self) -> None:
        """Let one go that is neither the first, the last, the best nor picked."""
        if len(self._checkpoints) <= _MOST:
            return
        needed = (self.best, self.chosen)
        inner = range(1, len(self._checkpoints) - 1)
        free = [row for row in inner if self._checkpoints[row] not in needed]
        row = min(free, key=self._spacing)
        del self._checkpoints[row]
        self.takeItem(row)

    def _spacing(self, row: int) -> float:
        before, after = self._checkpoints[row - 1], self._checkpoints[row + 1]
        return after.seconds - before.seconds


def _middle(checkpoint: Checkpoint) -> Float[ndarray, "h w"]:
    """Cut the middle out of what was denoised: small enough to show each pixel."""
    top, bottom, left, right = checkpoint.seen
    part = checkpoint.image[top:bottom, left:right]
    height, width = part.shape
    n_rows, n_columns = min(height, _SIDE_PX), min(width, _SIDE_PX)
    row, column = (height - n_rows) // 2, (width - n_columns) // 2
    return part[row : row + n_rows, column : column + n_columns]


def _icon(part: Float[ndarray, "h w"], limits: Limits) -> QIcon:
    low, high = limits
    grey = np.clip((part - low) / (high - low), 0, 1) * 255
    grey = np.ascontiguousarray(grey, np.uint8)
    rows, columns = grey.shape
    image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    zoom = max(1, _SIDE_PX // max(rows, columns))
    pixmap = QPixmap.fromImage(image.scaled(columns * zoom, rows * zoom))
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else it would be tinted
    return icon


def _words(one: Checkpoint, name: str | None, *, best: bool) -> str:
    if not one.number:
        return f"The base model: held-out loss {one.loss:.6g}, frame {one.frame}"
    how = f"{abs(one.gain):.2%} {'lower' if one.gain > 0 else 'higher'}"
    kept = f"; kept as {name}" if name else ""
    return (
        f"After {one.seconds:.0f} s: held-out loss {one.loss:.6g}, {how} than the base "
        f"model's{', the lowest' if best else ''}; frame {one.frame}{kept}"
    )
