"""What the planes made of a stack, summed up while they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from napari_lowdose.config import Plane
from napari_lowdose.denoiser.kept import Beside, Halves, Kept, Logarithms
from napari_lowdose.networks.look import Images

# Of sums of weights, and of differences in units of the noise.
_WEIGHTS = (1e-3, 1e3)
DIFFERENCES = (1e-2, 1e2)
_CORRECTIONS = (1e-3, 1e2)


@dataclass
class Running:
    """The weighted mean so far, and the sum of the weights, for which a byte does.

    A byte does for the mean, too, where it corrects what is kept already.
    """

    fused: Halves | Beside
    weight: Logarithms

    @classmethod
    def over(
        cls, shape: Sequence[int], device: torch.device, corrected: Kept | None = None
    ) -> Running:
        """Begin with nothing."""
        weight = Logarithms.empty(shape, device, _WEIGHTS)
        if corrected is None:
            return cls(Halves.empty(shape, device), weight)
        return cls(Beside.none(shape, device, corrected, _CORRECTIONS), weight)

    def take(
        self, plane: Plane, start: int, stop: int, estimate: Images, weight: Images
    ) -> None:
        """Take in some slices of the plane that is being looked at."""
        fused = self.fused.part(plane, start, stop)
        after = self.weight.part(plane, start, stop) + weight
        fused += (estimate - fused) * (weight / after)
        if isinstance(self.fused, Beside):  # of halves the slices are no copies
            self.fused.put(plane, start, stop, fused)
        self.weight.put(plane, start, stop, after)

    def end(self) -> Halves:
        """Give the mean, in place of what it corrects; nothing can be taken in."""
        fused = self.fused
        return fused if isinstance(fused, Halves) else fused.merged()


@dataclass
class Apart:
    """How two or three planes' estimates deviate from one another.

    The first one is kept; then a byte holds how the second one differs from it, and
    with the third one the deviation of all. Three tell a deviation to half of it.
    """

    first: Halves
    difference: Logarithms
    n_planes: int = 0

    @classmethod
    def over(cls, shape: Sequence[int], device: torch.device) -> Apart:
        """Begin with nothing."""
        difference = Logarithms.empty(shape, device, DIFFERENCES, signed=True)
        return cls(Halves.empty(shape, device), difference)

    def take(self, plane: Plane, start: int, stop: int, estimate: Images) -> None:
        """Take in some slices of the plane that is being looked at."""
        if self.n_planes == 0:
            self.first.put(plane, start, stop, estimate)
            return
        other = estimate - self.first.part(plane, start, stop)
        if self.n_planes == 1:
            self.difference.put(plane, start, stop, other)
            return
        one = self.difference.part(plane, start, stop)
        squares = one.square() + other.square() - (one + other).square() / 3
        deviation = (squares.clamp_(min=0) / 2).sqrt_()
        self._deviation.put(plane, start, stop, deviation)

    def end_plane(self) -> None:
        """Go on to the next plane."""
        self.n_planes += 1

    def deviation(self) -> Logarithms:
        """Give the deviation; nothing can be taken in any more."""
        if self.n_planes == 2:
            for frame in range(len(self.difference.codes)):
                apart = self.difference.part(Plane.XY, frame, frame + 1)
                self._deviation.put(Plane.XY, frame, frame + 1, apart.abs() / 2**0.5)
        return self._deviation

    @property
    def _deviation(self) -> Logarithms:
        """The same memory, read and written without signs."""
        return self.difference.unsigned()
