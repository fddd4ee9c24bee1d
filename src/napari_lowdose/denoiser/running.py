"""What the planes made of a stack, summed up while they come in."""

from __future__ import annotations

from dataclasses import dataclass

from napari_lowdose.config import Plane
from napari_lowdose.denoiser.kept import Halves, Logarithms
from napari_lowdose.networks.look import Images

# Of sums of weights, and of deviations in units of the noise.
_WEIGHTS = (1e-3, 1e3)
_DEVIATIONS = (1e-3, 1e2)


@dataclass
class Running:
    """The fused estimate and the planes' disagreement so far.

    Kept are the weighted mean, the sum of the weights and, if asked for, the plain mean
    and the root of the sum of squared deviations from it. Three planes tell a deviation
    to half of it, and weights no better: for these a byte does.
    """

    fused: Halves
    weight: Logarithms
    mean: Halves | None
    spread: Logarithms | None
    n_planes: int = 0

    @classmethod
    def over(cls, fused: Halves, *, disagreement: bool) -> Running:
        """Begin with nothing."""
        shape, device = fused.volume.shape, fused.volume.device
        weight = Logarithms.empty(shape, device, _WEIGHTS)
        if not disagreement:
            return cls(fused, weight, None, None)
        spread = Logarithms.empty(shape, device, _DEVIATIONS)
        return cls(fused, weight, Halves.empty(shape, device), spread)

    def take(
        self, plane: Plane, start: int, stop: int, estimate: Images, weight: Images
    ) -> None:
        """Take in some slices of the plane that is being looked at."""
        fused = self.fused.part(plane, start, stop)
        after = self.weight.part(plane, start, stop) + weight
        fused += (estimate - fused) * (weight / after)
        self.weight.put(plane, start, stop, after)
        if self.mean is None or self.spread is None:
            return
        mean = self.mean.part(plane, start, stop)
        before = estimate - mean
        mean += before / (self.n_planes + 1)
        spread = self.spread.part(plane, start, stop).square()
        spread += before * (estimate - mean)
        self.spread.put(plane, start, stop, spread.clamp_(min=0).sqrt_())

    def end_plane(self) -> None:
        """Go on to the next plane."""
        self.n_planes += 1

    def disagreement(self) -> Logarithms:
        """Give the deviation of the planes from one another; it is not summed on."""
        assert self.spread is not None
        return self.spread.times(max(self.n_planes - 1, 1) ** -0.5)
