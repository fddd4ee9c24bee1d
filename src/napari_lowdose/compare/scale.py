"""From values to places along the axis of a plot, whatever draws it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

_LEAST = 1e-12  # what a log scale shows instead of zero
_TICKS = 5  # at most as many steps, as a narrow plot has room for


@dataclass(frozen=True)
class Scale:
    """From values to shares of an axis: 0 at its low end, 1 at its high end."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, values: Iterable[float], *, log: bool = False) -> Scale:
        """Find the scale that holds all values; never an empty one."""
        values = [_logarithm(v) if log else v for v in values]
        low, high = min(values), max(values)
        if high <= low:
            spare = 0.1 if log else 0.1 * abs(low) or 1.0
            low, high = low - spare, high + spare
        return cls(low, high, log)

    def place(self, value: float) -> float:
        """Tell where on the axis a value lies."""
        value = _logarithm(value) if self.log else value
        return (value - self.low) / (self.high - self.low)

    def wider(self, share: float) -> Scale:
        """Leave room at both ends, as a share of the length."""
        spare = share * (self.high - self.low)
        return Scale(self.low - spare, self.high + spare, self.log)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Values to write at the axis: round ones, or a log scale's ends and middle."""
        if self.log:
            parts = (0.0, 0.5, 1.0)
            return tuple(10 ** (self.low + p * (self.high - self.low)) for p in parts)
        step = _round_step((self.high - self.low) / _TICKS)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return tuple(step * index for index in range(first, last + 1))


def _logarithm(value: float) -> float:
    return log10(max(value, _LEAST))


def _round_step(step: float) -> float:
    """Find the next larger 1, 2 or 5 times a power of ten."""
    decade: float = 10.0 ** floor(log10(step))
    return next(s * decade for s in (1, 2, 5, 10) if s * decade >= step * (1 - 1e-9))
