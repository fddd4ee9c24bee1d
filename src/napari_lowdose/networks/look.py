"""One look at a stack from some planes, and the volumes that looks see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from napari_lowdose.config import Plane
from napari_lowdose.networks.gaussian import gaussian
from napari_lowdose.networks.shuffled_unet import ShuffledUNet
from napari_lowdose.networks.traits import Traits

Volume = Float[Tensor, "b t y x"]
Slopes = Float[Tensor, "_ 1 1 1"]
Images = Float[Tensor, "n h w"]

_NEAR_PX = 7  # edge of the square over which the brightness around a pixel is read
_PART_VOXELS = 2_000_000
_LEAST_LEVEL = 0.05
_STRONGEST = 4.0  # logarithm of the largest weight
_USEFUL = 6.0  # beyond, weights and shares hardly change any more


class Channel(StrEnum):
    """What a network may see of a stack."""

    NOISY = "noisy"
    LEVEL = "level"  # of the noise
    SMOOTH = "smooth"  # a Gaussian mean, mostly in time
    WIDE = "wide"  # a wider one
    WIENER = "wiener"  # what the Wiener filter made of the whole stack
    FUSED = "fused"  # what the look before made of it
    DISAGREEMENT = "disagreement"  # of that look's planes
    FRAMES = "frames"  # what that look made of single frames


# Deviations of the Gaussians, in frames and in pixels.
GAUSSIANS = {Channel.SMOOTH: (6.0, 1.0), Channel.WIDE: (6.0, 4.0)}


@dataclass(frozen=True)
class Look:
    """Networks by plane, what they see, and what their outputs mean.

    Parameters
    ----------
    networks
        Each maps (n, channels, h, w) to (n, outputs, h, w).
    sees
        The channels, each with how many neighbouring slices on either side.
    weighs
        Whether a second output is the logarithm of the estimate's weight.
    corrects
        Whether the first output is added to what the look before made.
    level_of
        The brightness that tells the noise level; of the noisy stack it is read around
        each pixel.
    mixes
        Whether a third output tells how much of the Wiener filter's estimate is taken
        instead, where there is one.
    """

    networks: Mapping[Plane, nn.Module]
    sees: tuple[tuple[Channel, int], ...] = ((Channel.NOISY, 0),)
    weighs: bool = False
    corrects: bool = False
    mixes: bool = False
    level_of: Channel = Channel.NOISY

    @property
    def n_channels(self) -> int:
        """Images per input."""
        return sum(2 * reach + 1 for _, reach in self.sees)

    @property
    def n_outputs(self) -> int:
        """Images per output."""
        return 3 if self.mixes else 2 if self.weighs else 1

    @property
    def listens(self) -> bool:
        """Whether the networks can be told the traits of a stack."""
        return any(isinstance(n, ShuffledUNet) for n in self.networks.values())

    def told(self, traits: Traits) -> Look:
        """Fit the networks to a stack by its traits."""
        told: dict[nn.Module, nn.Module] = {
            network: network.told(traits)
            for network in dict.fromkeys(self.networks.values())
            if isinstance(network, ShuffledUNet)
        }
        networks = {p: told.get(n, n) for p, n in self.networks.items()}
        return replace(self, networks=networks)

    def estimate(
        self, out: Float[Tensor, "n o h w"], take: Callable[[Channel], Images]
    ) -> tuple[Images, Images]:
        """Make an estimate and its weight of the networks' outputs.

        Parameters
        ----------
        out
            Of some slices.
        take
            Gives these slices of a channel.
        """
        estimate = out[:, 0]
        if self.corrects:
            estimate = estimate + take(Channel.FUSED)
        if self.mixes:
            other = take(Channel.WIENER)
            estimate = estimate + torch.sigmoid(out[:, 2]) * (other - estimate)
        weight = _weight_of(out[:, 1]) if self.weighs else torch.ones_like(estimate)
        return estimate, weight


def excess(out: Float[Tensor, "n o h w"]) -> Float[Tensor, ""]:
    """Tell how far the outputs that weights and shares are made of lie too far out.

    There they are flat, and a network that has got there by a step too large learns no
    more. The mean square of what is beyond, as part of a loss, leads it back.
    """
    return (out[:, 1:].abs() - _USEFUL).clamp(min=0).square().mean()


def noise_level(
    brightness: Float[Tensor, "*shape"], slope: Slopes
) -> Float[Tensor, "*shape"]:
    """Give the noise's deviation at a brightness, both in units of the noise.

    Parameters
    ----------
    brightness
        In units of the noise at the stack's mean, above that mean.
    slope
        Change of the noise's variance per unit of brightness; 0 where the noise is
        alike everywhere.
    """
    return (1 + slope * brightness).clamp(min=_LEAST_LEVEL**2).sqrt()


def level_around(noisy: Volume, slope: Slopes) -> Volume:
    """Read the noise level off the brightness around each pixel of a frame."""
    near = noisy
    for edges in ((_NEAR_PX, 1), (1, _NEAR_PX)):
        rim = (edges[0] // 2, edges[1] // 2)
        near = functional.avg_pool2d(
            near, edges, stride=1, padding=rim, count_include_pad=False
        )
    return noise_level(near, slope)


@torch.no_grad()
def smoothed(noisy: Volume) -> dict[Channel, Volume]:
    """Take Gaussian means around each voxel, mostly in time, of what lies inside.

    Where little moves they tell more than two-dimensional networks alone sum up.
    """
    means = {}
    # Where convolutions are in bfloat16, so would be these sums: its 8 bits are too few
    # for a mean of hundreds of counts.
    with torch.autocast(noisy.device.type, enabled=False):
        for channel, (frames, px) in GAUSSIANS.items():
            mean = torch.empty_like(noisy)
            _smooth_into(mean, noisy, {1: frames}, across=2)
            _smooth_into(mean, mean, {2: px, 3: px}, across=1)
            means[channel] = mean
    return means


def _smooth_into(
    target: Volume, source: Volume, stds: Mapping[int, float], across: int
) -> None:
    """Smooth along some axes, in parts along another: that takes little memory."""
    n_part = max(1, _PART_VOXELS * source.shape[across] // source.numel())
    for start in range(0, source.shape[across], n_part):
        length = min(n_part, source.shape[across] - start)
        part = source.narrow(across, start, length).float()
        for axis, std in stds.items():
            weights = gaussian(part.shape[axis], std, part.device)
            part = torch.tensordot(part, weights, dims=([axis], [1]))
            part = part.movedim(-1, axis)
        target.narrow(across, start, length).copy_(part)


def _weight_of(logarithm: Tensor) -> Tensor:
    """Turn a network's second output into a positive weight that stays finite."""
    return (_STRONGEST * torch.tanh(logarithm / _STRONGEST)).exp()


def slices_of(
    volumes: Iterable[tuple[Volume, int]], plane: Plane, start: int, stop: int
) -> Float[Tensor, "n c h w"]:
    """Stack slices of some volumes with their neighbours as channels.

    Parameters
    ----------
    volumes
        Each with how many slices on either side come with a slice; beyond the first
        and last slice they are mirrored, so that their noise stays independent.
    plane
        Which slices.
    start, stop
        From which to before which.
    """
    channels = []
    for volume, reach in volumes:
        moved = volume.movedim(1 + plane.axis, 1)
        last = moved.shape[1] - 1
        for offset in range(-reach, reach + 1):
            first, end = start + offset, stop + offset
            if 0 <= first and end <= last + 1:
                channels.append(moved[:, first:end])
            else:
                index = torch.arange(first, end, device=moved.device)
                channels.append(moved.index_select(1, mirrored(index, last)))
    return torch.stack(channels, dim=2).flatten(0, 1)


def unsliced(images: Float[Tensor, "n h w"], plane: Plane, n_batch: int) -> Volume:
    """Put slices of one plane back into volumes."""
    volumes: Volume = images.reshape(n_batch, -1, *images.shape[1:])
    return volumes.movedim(1, 1 + plane.axis)


def mirrored(index: Tensor, last: int) -> Tensor:
    """Reflect slice numbers at the first and last slice."""
    return (last - (last - index.abs()).abs()).clamp(0, last)
