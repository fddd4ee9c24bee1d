"""What a score is: how it is measured, and how it is to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import nan


@dataclass(frozen=True)
class Score:
    """How a number about an estimate is to be read.

    Parameters
    ----------
    unit
        Empty when it has none.
    higher_is_better
        Its direction.
    summary
        What it says and when it lies, in one or two sentences.
    range
        What values it can take, in words.
    best
        The value of a perfect estimate, for a score that can be too high and too low;
        `higher_is_better` is then False.
    """

    unit: str
    higher_is_better: bool
    summary: str
    range: str = field(default="", kw_only=True)
    best: float | None = field(default=None, kw_only=True)

    @property
    def direction(self) -> str:
        """The direction in words."""
        if self.best is not None:
            return f"nearer to {self.best:g} is better"
        return "higher is better" if self.higher_is_better else "lower is better"


@dataclass(frozen=True)
class Scored:
    """A score as measured, and how far chance may have moved it.

    Parameters
    ----------
    value
        In the unit of its `Score`.
    std_error
        Its standard error; NaN where it is not known.
    """

    value: float
    std_error: float = nan


@dataclass(frozen=True)
class Metric(Score):
    """A score and how it is measured.

    Parameters
    ----------
    measure
        Takes an estimate (t, y, x) in counts, and the truth where it needs one.
    needs_truth
        Whether it compares with the truth.
    least_shape
        Frames, rows and columns below which it means nothing and is left out.
    """

    measure: Callable[..., float]
    needs_truth: bool
    least_shape: tuple[int, int, int] = (1, 1, 1)

    def applies(self, shape: tuple[int, ...]) -> bool:
        """Tell whether a stack of this shape is large enough."""
        return all(n >= least for n, least in zip(shape, self.least_shape, strict=True))
