"""Where the beam really is while it scans."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage

Shift = Annotated[float, Ge(0), Le(100)]


class ScanDistortion(Stage):
    """Scan: lines jitter, the mains hums, and the beam is late after fly-back."""

    damages: ClassVar[bool] = True

    jitter_px: Shift = 0.3
    """Standard deviation of the sideways shift of a line, in pixels."""

    jitter_memory: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Correlation of the shift of a line with that of the line before."""

    hum_px: Shift = 0.2
    """Amplitude of the sideways swing with the mains, in pixels."""

    hum_hz: Annotated[float, Gt(0), Le(1e6)] = 50.0
    """Frequency of the mains, in hertz."""

    dwell_us: Annotated[float, Gt(0), Le(1e6)] = 10.0
    """Time of the beam on a pixel, in microseconds; together with the mains."""

    flyback_px: Shift = 0.0
    """How far off the beam is at the start of a line, in pixels."""

    flyback_length_px: Annotated[float, Ge(0.1), Le(1e4)] = 8.0
    """Pixels over which the beam finds its way after fly-back."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Take each pixel from where the beam was, by linear interpolation."""
        jitter = self._jitter(counts.shape[:2], rng)
        hum = self._hum(counts.shape, phase=rng.uniform(0, 2 * np.pi))
        columns = np.arange(counts.shape[2])
        aim = columns + self.flyback_px * np.exp(-columns / self.flyback_length_px)
        for index, frame in enumerate(counts):
            frame[...] = _taken(frame, aim + jitter[index][:, None] + hum(index))
        return counts

    def _jitter(
        self, shape: tuple[int, int], rng: np.random.Generator
    ) -> Float[ndarray, "t y"]:
        """Draw the shifts of all lines, first-order autoregressive without a break."""
        white = rng.standard_normal(shape).ravel()
        white[1:] *= np.sqrt(1 - self.jitter_memory**2)
        from scipy.signal import lfilter  # takes a second to load

        shifts: ndarray = lfilter([1.0], [1.0, -self.jitter_memory], white)
        return self.jitter_px * shifts.reshape(shape)

    def _hum(self, shape: tuple[int, ...], *, phase: float) -> _Hum:
        return _Hum(
            self.hum_px, 2e-6 * np.pi * self.hum_hz * self.dwell_us, shape, phase
        )


class _Hum:
    """A swing that goes on from pixel to pixel, line to line and frame to frame."""

    def __init__(
        self, amplitude: float, step: float, shape: tuple[int, ...], phase: float
    ) -> None:
        _, self._rows, columns = shape
        self._amplitude, self._phase, self._line = amplitude, phase, step * columns
        along = step * np.arange(columns)
        self._sin, self._cos = np.sin(along), np.cos(along)

    def __call__(self, index: int) -> Float[ndarray, "y x"]:
        """Give the shifts in a frame."""
        lines = index * self._rows + np.arange(self._rows)
        start = (self._phase + self._line * lines)[:, None]
        swing: ndarray = np.sin(start) * self._cos + np.cos(start) * self._sin
        return self._amplitude * swing


def _taken(
    frame: Float[ndarray, "y x"], position: Float[ndarray, "y x"]
) -> Float[ndarray, "y x"]:
    """Read a frame between its columns; beyond its edges the edges go on."""
    last = frame.shape[1] - 1
    position = position.clip(0, last)
    left = position.astype(np.intp)
    right = np.minimum(left + 1, last)
    share = (position - left).astype(frame.dtype)
    near = np.take_along_axis(frame, left, axis=1)
    taken: ndarray = near + share * (np.take_along_axis(frame, right, axis=1) - near)
    return taken
