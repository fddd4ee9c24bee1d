"""What the planes made of a stack, summed up while they come in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_lowdose.config import Plane
from napari_lowdose.networks.look import Volume


@dataclass
class Running:
    """The fused estimate and the planes' disagreement so far.

    Kept are the weighted mean, the sum of the weights and, if asked for, the plain mean
    and the root of the sum of squared deviations from it: in half precision all stay as
    exact as the estimates themselves, whatever the brightness.
    """

    fused: Volume
    weight: Volume
    mean: Volume | None
    spread: Volume | None
    n_planes: int = 0

    @classmethod
    def like(cls, volume: Volume, *, disagreement: bool) -> Running:
        """Begin with nothing."""
        fused, weight = torch.zeros_like(volume), torch.zeros_like(volume)
        if not disagreement:
            return cls(fused, weight, None, None)
        return cls(fused, weight, torch.zeros_like(volume), torch.zeros_like(volume))

    def take(
        self, plane: Plane, start: int, stop: int, estimate: Tensor, weight: Tensor
    ) -> None:
        """Take in some slices of the plane that is being looked at."""
        fused, total = (_part(v, plane, start, stop) for v in (self.fused, self.weight))
        after = total + weight
        fused += (estimate - fused) * (weight / after)
        total.copy_(after)
        if self.mean is None or self.spread is None:
            return
        mean = _part(self.mean, plane, start, stop)
        spread = _part(self.spread, plane, start, stop)
        before = estimate - mean
        mean += before / (self.n_planes + 1)
        square = spread.float().square() + before * (estimate - mean)
        spread.copy_(square.clamp(min=0).sqrt())

    def end_plane(self) -> None:
        """Go on to the next plane."""
        self.n_planes += 1

    def disagreement(self) -> Volume:
        """Give the deviation of the planes from one another; it is not summed on."""
        assert self.spread is not None
        return self.spread.div_(max(self.n_planes - 1, 1) ** 0.5)


def _part(volume: Volume, plane: Plane, start: int, stop: int) -> Tensor:
    return volume[0].movedim(plane.axis, 0)[start:stop]
