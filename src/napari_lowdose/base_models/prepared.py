"""A stack as base models know stacks: without lines, all its noise independent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.classical.line_noise import (
    Lines,
    find_line_noise,
    line_notes,
    taken_off,
)
from napari_lowdose.denoiser import independent
from napari_lowdose.noise import Reading, read_evened


@dataclass(frozen=True)
class Prepared:
    """A stack as base models know stacks, and what was read off it.

    Parameters
    ----------
    even
        Counts without the lines, their noise made independent.
    reading
        Of that, and how noise was shared before.
    done
        Sentences about what was done to the noise.
    """

    even: Real[ndarray, "t y x"]
    reading: Reading
    done: tuple[str, ...]

    @classmethod
    def of(
        cls, stack: Real[ndarray, "t y x"], *, remove_lines: bool = True
    ) -> Prepared:
        """Find what is unlike the noise that base models know, and take it off.

        Parameters
        ----------
        stack
            Counts of shape (t, y, x).
        remove_lines
            Whether noise that rows or columns of frames share is looked for.

        Raises
        ------
        UnusableStack
            As `read_evened`.
        """
        even, reading = read_evened(stack)
        lines: Mapping[str, Lines] = find_line_noise(stack) if remove_lines else {}
        shared = reading.shared
        if lines and shared.neighbours is not None and not find_line_noise(even):
            lines = {}  # what neighbours share adds up along lines
        if lines:
            even, reading = read_evened(taken_off(stack, lines))
            shared, around = reading.shared, reading.units.mean
            if shared.neighbours is not None:
                even, lines = independent(stack, shared, around, remove_lines=True)
        return cls(even, reading, (*line_notes(lines), *reading.shared.notes()))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that the user should read before trusting a base model."""
        return (*self.done, *self.reading.notes)
