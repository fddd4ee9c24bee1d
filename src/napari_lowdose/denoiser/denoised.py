"""What comes of denoising a stack, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.config import Plane

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How much of a denoising is done, in slices."""

    done: int
    total: int


@dataclass(frozen=True)
class Denoised:
    """What a denoiser made of a stack; all in counts.

    Parameters
    ----------
    fused
        The one estimate.
    planes
        The estimate of each plane that looked on its own; empty if not asked for.
    disagreement
        The deviation of these from one another; none where one plane looked.
    """

    fused: Float[ndarray, "t y x"]
    planes: Mapping[Plane, Float[ndarray, "t y x"]]
    disagreement: Float[ndarray, "t y x"] | None

    def average_with_backwards(self, other: Denoised) -> None:
        """Average all, in place, with what was made of the stack run backwards."""
        pairs = [(self.fused, other.fused)]
        pairs += [(mine, other.planes[plane]) for plane, mine in self.planes.items()]
        if self.disagreement is not None and other.disagreement is not None:
            pairs.append((self.disagreement, other.disagreement))
        for mine, backwards in pairs:
            mine += backwards[::-1]
            mine /= 2


class _Finishing(Generic[T]):
    """Iterate over a generator, and keep what it returns.

    Parameters
    ----------
    steps
        The generator.

    Attributes
    ----------
    value
        What it returned; there once it has come to its end.
    """

    value: T

    def __init__(self, steps: Generator[Any, None, T]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Any]:
        self.value = yield from self._steps


def exhausted(
    steps: Generator[Any, None, T], watch: Callable[[Any], object] | None = None
) -> T:
    """Run a generator to its end, show what it yields, and take what it returns."""
    finishing = _Finishing(steps)
    for step in finishing:
        if watch:
            watch(step)
    return finishing.value


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
    finishing = _Finishing(steps)
    for step in finishing:
        yield Progress(number * step.total + of * step.done, total * step.total)
    return finishing.value
