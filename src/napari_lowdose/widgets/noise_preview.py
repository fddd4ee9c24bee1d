"""One frame of the movie to come, redrawn while the user drags the dose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from jaxtyping import Real
from numpy import ndarray
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Movie
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.layers import contrast_limits
from napari_lowdose.widgets.panel import Panel, in_a_row, wrapped_label
from napari_lowdose.widgets.picture import Picture

_MOST_PX = 320  # as wide as the panel
_LEAST_MS = 66  # between two pictures: 15 per second


@dataclass(frozen=True)
class Frames:
    """A frame as it would be recorded, and its expectation."""

    noisy: Real[ndarray, "y x"]
    truth: Real[ndarray, "y x"]


class NoisePreview(QWidget):
    """A picture of one frame, noisy or true, each in its own contrast.

    It lies in the panel, not among the layers: a layer would have to be sliced, given
    a thumbnail and taken back, and would fit the units of no other movie.

    All work is done in a background thread, one picture at a time; of what is asked
    for meanwhile, only the latest is drawn.

    Parameters
    ----------
    panel
        Whose closing ends the work.
    """

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._next: Callable[[], Frames | str] | None = None
        self._work: Background | None = None
        self._frames: Frames | None = None
        self._remark = ""
        self.box = QCheckBox("preview")
        self.box.setChecked(True)
        self.truth = QCheckBox("truth")
        self.picture = Picture()
        self.figures = wrapped_label()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_LEAST_MS)
        self._lay_out()
        self._rest.timeout.connect(self._begin)
        self.box.toggled.connect(self._switch)
        self.truth.toggled.connect(self._draw)
        self.picture.clicked.connect(self.truth.toggle)

    def _lay_out(self) -> None:
        self.box.setToolTip("Show at once what a frame would look like")
        self.truth.setToolTip("Show the expected counts instead")
        self.picture.setToolTip("Click to see the truth, or the noisy frame again")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(in_a_row(self.box, self.truth))
        layout.addWidget(self.picture)
        layout.addWidget(self.figures)

    @property
    def frames(self) -> Frames | None:
        """What was drawn last; None where there was a sentence instead."""
        return self._frames

    @property
    def settled(self) -> bool:
        """Whether all that was asked for has been drawn."""
        return self._next is None and self._work is None

    def ask(self, make: Callable[[], Frames | str]) -> None:
        """Draw another picture soon.

        Parameters
        ----------
        make
            Called in a background thread; gives a sentence where there is no picture.
        """
        self._next = make
        if not self._rest.isActive():
            self._begin()

    def _show_words(self, words: str) -> None:
        """Say in a sentence why there is no picture."""
        self._frames = None
        self.picture.show_words(words)
        self.figures.setText("")

    def _begin(self) -> None:
        make = self._next
        if make is None or self._work is not None or not self.box.isChecked():
            return
        self._next, self._remark = None, ""
        self._rest.start()
        self._work = Background(
            partial(_made, make), title="Preview", panel=self._panel, quiet=True
        )
        self._work.warned.connect(self._take_remark)
        self._work.came.connect(self._take)
        self._work.ended.connect(self._end)
        self._work.start()

    def _take_remark(self, remark: str) -> None:
        self._remark = remark

    def _take(self, made: Frames | str) -> None:
        if isinstance(made, str):
            self._show_words(made)
        else:
            self._frames = made
            self._draw()

    def _draw(self, _truth: bool = False) -> None:
        if self._frames is None:
            return
        true = self.truth.isChecked()
        frame = self._frames.truth if true else self._frames.noisy
        self.picture.show_frame(frame, contrast_limits(frame[np.newaxis]))
        what = "expected" if true else "recorded"
        self.figures.setText(
            f"{what} counts: mean {frame.mean(dtype=np.float64):.3g}, "
            f"from {frame.min():.3g} to {frame.max():.3g}. {self._remark}"
        )

    def _end(self, _well: bool) -> None:
        self._work = None
        if not self._rest.isActive():
            self._begin()

    def _switch(self, on: bool) -> None:
        for part in (self.truth, self.picture, self.figures):
            part.setVisible(on)
        self._begin()


def _made(make: Callable[[], Frames | str]) -> Iterator[Frames | str]:
    yield make()


def frame_of_specimen(name: str, settings: Movie, noise: Noise) -> Frames:
    """Make the first frame of a specimen's movie."""
    return _noisy(_first_frame(name, settings.replaced({("frames",): 1})), noise)


@lru_cache(maxsize=2)  # two docks may drag at the same time; frames can be large
def _first_frame(name: str, settings: Movie) -> Stack:
    return SPECIMENS[name].render(settings).stack


def frame_of_stack(stack: Stack, index: int, noise: Noise) -> Frames:
    """Make one frame of a clean stack, with the dose of that frame."""
    frame = np.asarray(stack.data[index : index + 1])
    return _noisy(stack.with_data(frame, ""), noise)


def _noisy(clean: Stack, noise: Noise) -> Frames:
    """Add noise to the middle of a frame; there is no room to show more."""
    frame = np.asarray(clean.data)
    middle = frame[:, *(_middle(length) for length in frame.shape[1:])]
    share = middle.mean(dtype=np.float64) / (frame.mean(dtype=np.float64) or 1.0)
    part = noise.replaced({("dose",): noise.dose * float(share)})
    noisy, truth = add_noise(clean.with_data(middle, ""), part)
    return Frames(np.asarray(noisy.data)[0], np.asarray(truth.data)[0])


def _middle(length: int) -> slice:
    start = max(0, (length - _MOST_PX) // 2)
    return slice(start, start + _MOST_PX)
