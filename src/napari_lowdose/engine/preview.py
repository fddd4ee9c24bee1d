"""What the training so far makes of the frame that the user looks at."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import numpy as np
from numpy import ndarray

from napari_lowdose.config import Denoising
from napari_lowdose.engine.link import Link
from napari_lowdose.io.atomic import replacing
from napari_lowdose.jobs import Job
from napari_lowdose.training import TrainingRun

_SHARE = 0.1  # of the time, at most
_PAUSE_S = 1.5
_VOXELS = 4_000_000
_FRAMES = 33


class Preview:
    """Previews of one frame, now and then, for little of the training's time."""

    def __init__(self, job: Job, link: Link, stack: ndarray) -> None:
        self._folder = Path(job.folder)
        self._link = link
        self._stack = stack
        self._next = monotonic() + _PAUSE_S
        self._number = 0

    def show(self, run: TrainingRun) -> None:
        """Denoise the visible frame, unless that was done a moment ago."""
        start = monotonic()
        if start < self._next:
            return
        frame = min(self._link.frame, len(self._stack) - 1)
        path = self._folder / f"preview-{self._number % 2}.npy"
        with replacing(path) as temporary:
            np.save(temporary, self._denoised(run, frame))
        self._link.emit("preview", frame=frame, path=str(path))
        self._number += 1
        end = monotonic()
        self._next = end + max(_PAUSE_S, (end - start) / _SHARE)

    def _denoised(self, run: TrainingRun, frame: int) -> ndarray:
        """Denoise the frame with as many neighbours as a short wait allows."""
        affordable = _VOXELS // self._stack[0].size
        reach = max(min(_FRAMES, affordable) // 2, 0)
        first = max(frame - reach, 0)
        window = self._stack[first : frame + reach + 1]
        denoiser = run.denoiser()
        settings = Denoising(planes=denoiser.planes, compute=denoiser.compute)
        estimate: ndarray = denoiser.limited_to(settings, len(window))(window)
        image: ndarray = estimate[frame - first]
        return image
