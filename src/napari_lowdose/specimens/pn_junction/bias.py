"""How a voltage across a device changes in time."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from jaxtyping import Float
from numpy import ndarray


class Waveform(StrEnum):
    """The course of a voltage between two levels."""

    SINE = "sine"
    STEP = "step"  # to and fro, settling exponentially after each step
    RAMP = "ramp"  # up and down linearly, as a current-voltage sweep
    TELEGRAPH = "telegraph"  # as step, at random times


def course(
    waveform: Waveform,
    frames: int,
    rng: np.random.Generator,
    *,
    period: float,
    settling: float,
) -> Float[ndarray, " t"]:
    """Draw a course between the levels -1 and 1.

    Parameters
    ----------
    waveform
        Kind of course; it starts anywhere in its period.
    frames
        Number of values.
    rng
        Where the start and the times of a telegraph come from.
    period
        Frames from one high level to the next, on average for a telegraph.
    settling
        Time constant (R times C) with which steps settle, in frames; 0: at once.
    """
    start = rng.random()
    phase = start + np.arange(frames) / period
    if waveform is Waveform.SINE:
        wave: ndarray = np.sin(2 * np.pi * phase)
        return wave
    if waveform is Waveform.RAMP:
        sweep: ndarray = 4 * np.abs(phase % 1 - 0.5) - 1
        return sweep
    if waveform is Waveform.STEP:
        return _settled(np.where(phase % 1 < 0.5, 1.0, -1.0), settling)
    flips = rng.random(frames) < min(2 / period, 1.0)
    return _settled(
        np.where((np.cumsum(flips) + (start < 0.5)) % 2, 1.0, -1.0), settling
    )


def _settled(levels: Float[ndarray, " t"], settling: float) -> Float[ndarray, " t"]:
    """Follow the levels as a capacitor behind a resistor does; settled at first."""
    kept = np.exp(-1 / settling) if settling else 0.0
    voltage = levels.copy()
    for t in range(1, len(levels)):
        voltage[t] = levels[t] + (voltage[t - 1] - levels[t]) * kept
    return voltage
