"""The progress of one piece of work as a part of several."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from napari_lowdose.denoiser import Progress

T = TypeVar("T")


def part_of(
    steps: Generator[Progress, None, T], number: int, total: int, *, of: int = 1
) -> Generator[Progress, None, T]:
    """Tell the progress of some of several alike pieces of work.

    Parameters
    ----------
    steps
        The work.
    number
        How many pieces were done before.
    total
        How many there are.
    of
        How many of them this is.
    """
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        done = number * step.total + of * step.done
        yield Progress(done, total * step.total)
