"""What spoils a recording beside its noise: ends of the scale, drift, defects."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Real
from numpy import ndarray

_MOST_FRAMES = 64
_PILED = 3.0  # times as many values at the end of the scale as next to it
_SIGMAS = 6.0


@dataclass(frozen=True)
class Ends:
    """Shares of values that stand at the ends of the scale, and where those are."""

    clipped: float = 0.0
    saturated: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    @property
    def limits(self) -> tuple[float, float]:
        """The ends that values pile up at; infinite where they do not."""
        return (
            self.low if self.clipped else -np.inf,
            self.high if self.saturated else np.inf,
        )


def ends_of_scale(
    values: Real[ndarray, " n"], *, step: float, noise_std: float
) -> Ends:
    """Find values piled up at the lowest and at the highest value."""
    values = values[:: -(-values.size // 2**21)]
    low, high = float(values.min()), float(values.max())
    width = step or max(noise_std / 10, 1e-12)
    shares = []
    for end, inward in ((low, 1), (high, -1)):
        at_end = int((values == values.dtype.type(end)).sum())
        inner = sorted((end + inward * 1.5 * width, end))
        beside = int(((values > inner[0]) & (values < inner[1])).sum())
        piled = at_end > 10 and at_end > _PILED * beside
        shares.append(at_end / len(values) if piled else 0.0)
    return Ends(shares[0], shares[1], low, high)


def dose_drift(stack: Real[ndarray, "t y x"], offset: float) -> float:
    """Fit a line to the brightness of the frames: its rise over the stack."""
    frames = np.unique(np.linspace(0, len(stack) - 1, 256).astype(int))
    if len(frames) < 3:
        return 0.0
    means = (
        np.array([stack[t][::2, ::2].mean(dtype=np.float64) for t in frames]) - offset
    )
    mean = means.mean()
    slope = np.polyfit(frames, means, 1)[0]
    return float(slope * (len(stack) - 1) / mean) if mean > 0 else 0.0


def defect_share(
    stack: Real[ndarray, "t y x"], *, variance: float, dose: float
) -> float:
    """Find pixels that are always too bright or too dark, or that never change."""
    chosen = np.unique(np.linspace(0, len(stack) - 1, _MOST_FRAMES).astype(int))
    n = len(chosen)
    if n < 4 or min(stack.shape[1:]) < 5:
        return 0.0
    total = np.zeros(stack.shape[1:], np.float32)
    squares = np.zeros_like(total)
    pivot = np.float32(np.median(stack[0]))
    for t in chosen:
        frame = stack[t].astype(np.float32) - pivot
        total += frame
        squares += frame * frame
    mean = total / n
    spread = np.maximum(squares / n - mean * mean, 0) * (n / (n - 1))
    around = cv2.medianBlur(mean, 5)
    beside = cv2.medianBlur(spread, 5)
    error = np.sqrt(np.maximum(beside, variance * 0.2) / n)
    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    brightest, darkest = cv2.dilate(mean, ring), cv2.erode(mean, ring)
    # A bright atom has bright neighbours; a hot pixel stands alone.
    above, below = mean - around, around - mean
    hot = (above > _SIGMAS * error) & (brightest - around < 0.3 * above)
    dead = (below > _SIGMAS * error) & (around - darkest < 0.3 * below)
    defects = hot | dead
    if (2 + 1 / max(dose, 1e-3)) / n < 0.06:
        defects |= spread < 0.05 * beside
    return float(defects.mean())
