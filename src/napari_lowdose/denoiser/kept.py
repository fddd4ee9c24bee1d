"""How volumes are kept while a stack is looked at: in as little memory as does.

Three stacks of float32 at once are the most that a user is told to expect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float16, Real, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional

from napari_lowdose.config import Plane
from napari_lowdose.memory import mapped
from napari_lowdose.networks.gaussian import gaussian
from napari_lowdose.networks.look import GAUSSIANS, Channel, Images, mirrored

# Frames, rows and columns that are one: Gaussian means change little over them.
_COARSE = {Channel.SMOOTH: (4, 1, 1), Channel.WIDE: (4, 2, 2)}
_PART_VOXELS = 200_000
_SIGN = 128


@runtime_checkable
class Kept(Protocol):
    """A volume (t, y, x), of which some slices are given at a time."""

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices of a plane, from which to before which."""


@runtime_checkable
class Units(Protocol):
    """The affine map between counts and what networks see."""

    @property
    def std(self) -> float:
        """Counts per unit."""

    @property
    def slope(self) -> float:
        """Change of the noise's variance per unit of brightness, in units squared."""

    def forward(self, stack: Any, /) -> ndarray:  # noqa: ANN401 - real numbers
        """Map counts to units."""

    def inverse(self, signal: ndarray, /) -> ndarray:
        """Map units to counts."""


@dataclass(frozen=True)
class Counts:
    """The noisy stack as it came, put into units of its noise slice by slice."""

    stack: Real[ndarray, "t y x"]
    units: Units
    device: torch.device

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices in units of the noise, float32."""
        slices = np.moveaxis(self.stack, plane.axis, 0)[start:stop]
        return torch.from_numpy(self.units.forward(slices)).to(self.device)


@dataclass(frozen=True)
class Halves:
    """A volume in half precision."""

    volume: Float16[Tensor, "t y x"]

    @classmethod
    def empty(cls, shape: Sequence[int], device: torch.device) -> Halves:
        """Make room for a volume; there are zeros."""
        return cls(_room(shape, np.float16, device))

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices; writing into them changes the volume."""
        return self.volume.movedim(plane.axis, 0)[start:stop]

    def put(self, plane: Plane, start: int, stop: int, images: Images) -> None:
        """Replace slices."""
        self.part(plane, start, stop).copy_(images)


@dataclass(frozen=True)
class Logarithms:
    """A volume by the logarithms of its values in a byte, with or without signs.

    Between the limits it is exact to half a step of 1/254 of the logarithm of their
    ratio, or of 1/126 with signs; below the lower one it is zero.
    """

    codes: UInt8[Tensor, "t y x"]
    lowest: float
    highest: float
    signed: bool = False

    @classmethod
    def empty(
        cls,
        shape: Sequence[int],
        device: torch.device,
        limits: tuple[float, float],
        *,
        signed: bool = False,
    ) -> Logarithms:
        """Make room for a volume; there are zeros."""
        return cls(_room(shape, np.uint8, device), *limits, signed)

    @property
    def _most(self) -> int:
        return _SIGN - 1 if self.signed else 2 * _SIGN - 1

    @property
    def _step(self) -> float:
        return float(np.log(self.highest / self.lowest)) / (self._most - 1)

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices, float32."""
        codes = self.codes.movedim(plane.axis, 0)[start:stop]
        values = self._values.index_select(0, codes.reshape(-1).int())
        return values.reshape(codes.shape)

    def put(self, plane: Plane, start: int, stop: int, images: Images) -> None:
        """Replace slices."""
        # The first step is that of the lower limit; halves are rounded up.
        first = 1.5 - float(np.log(self.lowest)) / self._step
        place = images.float().abs().log_().mul_(1 / self._step).add_(first)
        place.clamp_(0, self._most).floor_()
        if self.signed:
            # On Apple's GPUs kinds are not to be mixed here (PyTorch issue 178709).
            place.add_((images < 0).to(place.dtype), alpha=_SIGN)
        self.codes.movedim(plane.axis, 0)[start:stop].copy_(place)

    @cached_property
    def _values(self) -> Float[Tensor, " 256"]:
        """What each code stands for."""
        places = torch.arange(self._most + 1, device=self.codes.device)
        values = ((places - 1) * self._step).exp() * self.lowest
        values[0] = 0
        return torch.cat([values, -values]) if self.signed else values

    def unsigned(self) -> Logarithms:
        """Give the same memory, read and written without signs."""
        return replace(self, signed=False)


@dataclass(frozen=True)
class Shares:
    """A volume of numbers from 0 to 1 in a byte, exact to 1/510."""

    codes: UInt8[Tensor, "t y x"]

    @classmethod
    def empty(cls, shape: Sequence[int], device: torch.device) -> Shares:
        """Make room for a volume; there are zeros."""
        return cls(_room(shape, np.uint8, device))

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices, float32."""
        return self.codes.movedim(plane.axis, 0)[start:stop] / 255

    def put(self, plane: Plane, start: int, stop: int, images: Images) -> None:
        """Replace slices."""
        place = (images * 255).add_(0.5)
        self.codes.movedim(plane.axis, 0)[start:stop].copy_(place)

    def signed(self, limits: tuple[float, float]) -> Logarithms:
        """Give the same memory, to be written anew by logarithms with signs."""
        return Logarithms(self.codes, *limits, signed=True)


@dataclass(frozen=True)
class Beside:
    """A volume by its difference from another one."""

    other: Kept
    difference: Logarithms

    @classmethod
    def of(cls, volume: Halves, other: Kept, limits: tuple[float, float]) -> Beside:
        """Keep the difference, frame by frame."""
        beside = cls.none(volume.volume.shape, volume.volume.device, other, limits)
        for frame in range(len(volume.volume)):
            bounds = (Plane.XY, frame, frame + 1)
            beside.put(*bounds, volume.part(*bounds).float())
        return beside

    @classmethod
    def none(
        cls,
        shape: Sequence[int],
        device: torch.device,
        other: Kept,
        limits: tuple[float, float],
    ) -> Beside:
        """Begin with no difference."""
        return cls(other, Logarithms.empty(shape, device, limits, signed=True))

    def put(self, plane: Plane, start: int, stop: int, images: Images) -> None:
        """Replace slices, given in single precision."""
        difference = images - self.other.part(plane, start, stop)
        self.difference.put(plane, start, stop, difference)

    def merged(self) -> Halves:
        """Add the difference to the other volume, which is no more itself then."""
        assert isinstance(self.other, Halves)
        for frame in range(len(self.other.volume)):
            bounds = (Plane.XY, frame, frame + 1)
            self.other.put(*bounds, self.part(*bounds))
        return self.other

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices, float32."""
        return self.difference.part(plane, start, stop).add_(
            self.other.part(plane, start, stop)
        )


@dataclass(frozen=True)
class Coarse:
    """A smooth volume by the means of its blocks; between them it is linear."""

    means: Float16[Tensor, "t2 y2 x2"]
    steps: tuple[int, int, int]
    shape: tuple[int, int, int]

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        """Give slices, float32."""
        across = [axis for axis in range(3) if axis != plane.axis]
        means = self.means.movedim(plane.axis, 0)
        slices = torch.arange(start, stop, device=means.device)
        place = (slices + 0.5) / self.steps[plane.axis] - 0.5
        place = place.clamp(0, len(means) - 1)
        share = place.frac()[:, None, None]
        before = place.long()
        after = (before + 1).clamp(max=len(means) - 1)
        coarse = torch.lerp(means[before].float(), means[after].float(), share)
        fine = functional.interpolate(
            coarse[:, None],
            scale_factor=[float(self.steps[axis]) for axis in across],
            mode="bilinear",
        )
        height, width = (self.shape[axis] for axis in across)
        return fine[:, 0, :height, :width]


def gaussian_means(noisy: Kept, shape: tuple[int, int, int]) -> dict[Channel, Coarse]:
    """Take the Gaussian means of `networks.look.smoothed`, block by block."""
    device = noisy.part(Plane.XY, 0, 1).device
    found: dict[Channel, Coarse] = {}
    for channel, (frames, px) in GAUSSIANS.items():
        steps = _COARSE[channel]
        in_time = _coarse_gaussian(shape[0], frames, steps[0], device)
        means = _room((len(in_time), *shape[1:]), np.float16, device)
        n_rows = max(1, _PART_VOXELS // (shape[0] * shape[2]))
        for row in range(0, shape[1], n_rows):
            last = min(row + n_rows, shape[1])
            part = noisy.part(Plane.XT, row, last).float()  # (y, t, x)
            means[:, row:last] = (in_time @ part).movedim(1, 0)
        down, along = (
            _coarse_gaussian(n, px, step, device)
            for n, step in zip(shape[1:], steps[1:], strict=True)
        )
        coarse = _room((len(means), len(down), len(along)), np.float16, device)
        for frame, mean in zip(coarse, means, strict=True):
            frame.copy_(down @ mean.float() @ along.T)
        found[channel] = Coarse(coarse, steps, shape)
    return found


def _room(
    shape: Sequence[int], dtype: type[np.generic], device: torch.device
) -> Tensor:
    """Make room for a volume of zeros."""
    return torch.from_numpy(mapped(shape, dtype)).to(device)


def _coarse_gaussian(
    n: int, std: float, step: int, device: torch.device
) -> Float[Tensor, "m n"]:
    """Give the weights of a Gaussian mean's block means."""
    weights = gaussian(n, std, device)
    blocks = [weights[start : start + step] for start in range(0, n, step)]
    return torch.stack([block.mean(0) for block in blocks])


def images_of(
    kept: Mapping[Channel, Kept],
    sees: Sequence[tuple[Channel, int]],
    plane: Plane,
    bounds: tuple[int, int, int],
    dtype: torch.dtype,
) -> Float[Tensor, "n c h w"]:
    """Stack slices with their neighbours as channels, as `networks.look.slices_of`.

    Parameters
    ----------
    kept
        The volumes.
    sees
        The channels, each with how many slices on either side come with a slice.
    plane, bounds
        Which slices: the first, the one after the last, and how many there are.
    dtype
        Of the result.
    """
    start, stop, n_slices = bounds
    images: Tensor | None = None
    number, n_channels = 0, sum(2 * reach + 1 for _, reach in sees)
    for channel, reach in sees:
        first, last = max(start - reach, 0), min(stop + reach, n_slices)
        there = kept[channel].part(plane, first, last)
        if images is None:
            size = (stop - start, n_channels, *there.shape[1:])
            images = torch.empty(size, dtype=dtype, device=there.device)
        for offset in range(-reach, reach + 1):
            lowest, end = start + offset, stop + offset
            if 0 <= lowest and end <= n_slices:
                images[:, number] = there[lowest - first : end - first]
            else:
                wanted = torch.arange(lowest, end, device=there.device)
                images[:, number] = there[mirrored(wanted, n_slices - 1) - first]
            number += 1
    assert images is not None
    return images
