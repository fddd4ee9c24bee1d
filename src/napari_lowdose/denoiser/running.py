"""What the planes made of a stack, summed up while they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from napari_lowdose.config import Plane
from napari_lowdose.denoiser.kept import Beside, Halves, Kept, Logarithms, Shares
from napari_lowdose.networks.look import Images

# Of sums of weights, and of differences in units of the noise.
_WEIGHTS = (1e-3, 1e3)
DIFFERENCES = (1e-2, 1e2)
_CORRECTIONS = (1e-3, 1e2)


@dataclass
class Running:
    """The weighted mean so far, and the sum of the weights, for which a byte does.

    A byte does for the mean, too, where it corrects what is kept already. Where nothing
    is, it is also told how the estimates are apart.
    """

    fused: Halves | Beside
    weight: Logarithms
    apart: Apart | None = None

    @classmethod
    def over(
        cls, shape: Sequence[int], device: torch.device, corrected: Kept | None = None
    ) -> Running:
        """Begin with nothing."""
        weight = Logarithms.empty(shape, device, _WEIGHTS)
        if corrected is None:
            return cls(Halves.empty(shape, device), weight, Apart.over(shape, device))
        return cls(Beside.none(shape, device, corrected, _CORRECTIONS), weight)

    def take(
        self, plane: Plane, start: int, stop: int, estimate: Images, weight: Images
    ) -> None:
        """Take in some slices of the plane that is being looked at."""
        fused = self.fused.part(plane, start, stop)
        after = self.weight.part(plane, start, stop) + weight
        share = weight / after
        if self.apart is not None:
            self.apart.take(plane, start, stop, estimate - fused, share)
        fused += (estimate - fused) * share
        if isinstance(self.fused, Beside):  # of halves the slices are no copies
            self.fused.put(plane, start, stop, fused)
        self.weight.put(plane, start, stop, after)

    def end_plane(self) -> None:
        """Go on to the next plane."""
        if self.apart is not None:
            self.apart.end_plane()

    def end(self) -> Halves:
        """Give the mean, in place of what it corrects; nothing can be taken in."""
        fused = self.fused
        return fused if isinstance(fused, Halves) else fused.merged()


@dataclass
class Apart:
    """How two or three planes' estimates deviate from one another, and from the first.

    The first one is the mean then. A byte keeps how the second one differs from it, and
    another one which share of that the mean takes: so the third one finds the first.
    What differs is told to 4 %, and the deviation of three to half of it.
    """

    difference: Logarithms
    share: Shares
    n_planes: int = 0

    @classmethod
    def over(cls, shape: Sequence[int], device: torch.device) -> Apart:
        """Begin with nothing."""
        difference = Logarithms.empty(shape, device, DIFFERENCES, signed=True)
        return cls(difference, Shares.empty(shape, device))

    def take(
        self, plane: Plane, start: int, stop: int, change: Images, share: Images
    ) -> None:
        """Take in slices: how they differ from the mean, which moves by a share."""
        if self.n_planes == 1:
            self.difference.put(plane, start, stop, change)
            self.share.put(plane, start, stop, share)
        if self.n_planes < 2:
            return
        one = self.difference.part(plane, start, stop)
        moved = one * self.share.part(plane, start, stop)
        other = change + moved
        squares = one.square() + other.square() - (one + other).square() / 3
        self._deviation.put(plane, start, stop, (squares.clamp_(min=0) / 2).sqrt_())
        self._first.put(plane, start, stop, moved.add_(change * share).neg_())

    def end_plane(self) -> None:
        """Go on to the next plane."""
        self.n_planes += 1

    def end(self, fused: Halves) -> tuple[Beside, Logarithms]:
        """Give the first estimate, beside the mean of all, and the deviation."""
        if self.n_planes == 2:
            for frame in range(len(self.difference.codes)):
                bounds = (Plane.XY, frame, frame + 1)
                one = self.difference.part(*bounds)
                self._deviation.put(*bounds, one.abs() / 2**0.5)
                self._first.put(*bounds, -one * self.share.part(*bounds))
        return Beside(fused, self._first), self._deviation

    @property
    def _deviation(self) -> Logarithms:
        """The same memory, read and written without signs."""
        return self.difference.unsigned()

    @property
    def _first(self) -> Logarithms:
        """The memory of the shares, for how the first one differs from the mean."""
        return self.share.signed(DIFFERENCES)
