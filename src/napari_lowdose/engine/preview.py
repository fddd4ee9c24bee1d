"""What a model makes of the frame that the user looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from time import monotonic

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.engine.link import Link
from napari_lowdose.engine.telling import save_array
from napari_lowdose.jobs import Job

Denoise = Callable[[ndarray], ndarray]

_WAIT_S = 0.8  # that one preview may take
_LEAST_VOXELS = 600_000  # the whole frame, where it has up to 256 x 256 pixels
_MOST_VOXELS = 4_000_000
_FEWEST_FRAMES, _MOST_FRAMES = 9, 33


@dataclass(frozen=True)
class Window:
    """Part of a stack: frames around one of them, and of large frames the middle."""

    frames: slice
    rows: slice
    columns: slice

    @classmethod
    def around(cls, frame: int, shape: tuple[int, ...], voxels: int) -> Window:
        """Find the window of about so many voxels around a frame."""
        n_frames, height, width = shape
        n = min(max(voxels // (height * width), _FEWEST_FRAMES), _MOST_FRAMES, n_frames)
        edge = max(isqrt(voxels // n), 32)
        n_rows = min(height, max(edge, edge**2 // width))
        n_columns = min(width, max(edge, edge**2 // n_rows))
        first = min(max(frame - n // 2, 0), n_frames - n)
        top, left = (height - n_rows) // 2, (width - n_columns) // 2
        return cls(
            slice(first, first + n),
            slice(top, top + n_rows),
            slice(left, left + n_columns),
        )

    def of(self, stack: Real[ndarray, "t y x"]) -> Real[ndarray, "n h w"]:
        """Cut the window out of a stack."""
        return np.asarray(stack[self.frames, self.rows, self.columns])


@dataclass(frozen=True)
class Picture:
    """One frame, as it was recorded outside of the window that was denoised."""

    frame: int
    image: Float[ndarray, "y x"]
    window: Window


class Preview:
    """Previews of the frame that is looked at, for little of a job's time.

    Parameters
    ----------
    job, link
        Where pictures go, and who says which frame is looked at.
    stack
        The noisy one.
    share
        Of the job's time, at most.
    pause_s
        Between two previews, at least.
    """

    def __init__(
        self,
        job: Job,
        link: Link,
        stack: Real[ndarray, "t y x"],
        *,
        share: float = 0.1,
        pause_s: float = 1.5,
    ) -> None:
        self._folder = Path(job.folder)
        self._link = link
        self._stack = stack
        self._share = share
        self._pause_s = pause_s
        self._next = monotonic() + pause_s
        self._number = 0
        self._voxels = _LEAST_VOXELS
        self._shown = -1

    @property
    def frame(self) -> int:
        """Which frame is looked at."""
        return min(self._link.frame, len(self._stack) - 1)

    @property
    def moved(self) -> bool:
        """Whether another frame is looked at than was shown last."""
        return self.frame != self._shown

    @property
    def worth_while(self) -> bool:
        """Whether the whole stack would take longer than one frame of it."""
        return self._stack.size > _LEAST_VOXELS

    def look(self, denoise: Denoise) -> Picture:
        """Denoise the frame with as many neighbours as a short wait allows."""
        start, frame = monotonic(), self.frame
        window = Window.around(frame, self._stack.shape, self._voxels)
        noisy = window.of(self._stack)
        image = np.array(self._stack[frame], np.float32)
        estimate = denoise(noisy)[frame - window.frames.start]
        image[window.rows, window.columns] = estimate
        took = monotonic() - start
        self._next = start + took + max(self._pause_s, took / self._share)
        affordable = int(noisy.size * _WAIT_S / max(took, 1e-3))
        self._voxels = min(max(affordable, _LEAST_VOXELS), _MOST_VOXELS)
        self._shown = frame
        return Picture(frame, image, window)

    def show(self, denoise: Denoise) -> None:
        """Show the frame now."""
        picture = self.look(denoise)
        path = self._folder / f"preview-{self._number % 2}.npy"
        save_array(path, picture.image)
        self._number += 1
        self._link.emit("preview", frame=picture.frame, path=str(path))

    def show_if_due(self, denoise: Denoise) -> None:
        """Show the frame, unless that was done a moment ago."""
        if monotonic() >= self._next:
            self.show(denoise)
