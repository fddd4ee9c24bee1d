"""The networks of a base model: one look or two from three directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from napari_lowdose.config import LooksSettings, Plane
from napari_lowdose.networks.look import (
    GAUSSIANS,
    Channel,
    Images,
    Look,
    Slopes,
    Volume,
    excess,
    level_around,
    noise_level,
    slices_of,
    smoothed,
    unsliced,
)
from napari_lowdose.networks.shuffled_unet import ShuffledUNet

_FIRST_SEES = ((Channel.NOISY, 0), (Channel.LEVEL, 0))
_ONLY_SEES = (*_FIRST_SEES, (Channel.WIENER, 0))
_SECOND_SEES = (
    (Channel.NOISY, 2),
    (Channel.SMOOTH, 0),
    (Channel.WIDE, 0),
    (Channel.FUSED, 1),
    (Channel.DISAGREEMENT, 0),
    (Channel.FRAMES, 0),
    (Channel.LEVEL, 0),
    (Channel.WIENER, 0),
)
# What the looks see, without networks.
_FIRST = Look({}, _FIRST_SEES, weighs=True)
_ONLY = Look({}, _ONLY_SEES, weighs=True, mixes=True)
_SECOND = Look(
    {}, _SECOND_SEES, weighs=True, corrects=True, mixes=True, level_of=Channel.FUSED
)
_LEAST_VARIANCE = 1e-12  # a root has no gradient at zero
_CLOSED = -2.0  # as a logit: the share that the Wiener filter's estimate has at first


@dataclass(frozen=True)
class Seen:
    """What a look made of volumes: each plane's estimate and its weight.

    Parameters
    ----------
    estimates, weights
        By plane.
    excess
        How far the networks' outputs lie beyond what is useful, see `look.excess`.
    """

    estimates: Mapping[Plane, Volume]
    weights: Mapping[Plane, Volume]
    excess: Float[Tensor, ""]

    @property
    def fused(self) -> Volume:
        """The weighted mean."""
        estimates = torch.stack(tuple(self.estimates.values()))
        weights = torch.stack(tuple(self.weights.values()))
        fused: Volume = (weights * estimates).sum(0) / weights.sum(0)
        return fused

    @property
    def disagreement(self) -> Volume:
        """The deviation of the planes' estimates from one another."""
        estimates = torch.stack(tuple(self.estimates.values()))
        # Torch's own takes tens of times as long over so few.
        squares = (estimates - estimates.mean(0)).square().sum(0)
        variance: Volume = squares / (len(estimates) - 1)
        return variance.clamp(min=_LEAST_VARIANCE).sqrt()


class LooksNetwork(nn.Module):
    """All networks of a base model.

    The first look of two sees single noisy slices, one plane at a time, as the
    tri-directional paper does. The second one sees noisy slices with their neighbours,
    Gaussian means, what the first look made of the stack, and where its planes
    disagree; it gives corrections. The last look also sees what the Wiener filter made
    of the stack, and takes a share of that. Both kinds of slices through time show the
    same things, so that they share weights. All are fitted to a stack by its traits.

    Parameters
    ----------
    settings
        Size of the networks, and the planes of the second look.
    """

    def __init__(self, settings: LooksSettings) -> None:
        super().__init__()
        self.settings = settings
        planes = settings.second_planes
        self.first = _networks(settings, tuple(Plane), _FIRST if planes else _ONLY)
        self.second = _networks(settings, planes, _SECOND)

    @property
    def looks(self) -> tuple[Look, ...]:
        """The looks, with the present weights."""
        one = {plane: self.first[_kind(plane)] for plane in Plane}
        two = {p: self.second[_kind(p)] for p in self.settings.second_planes}
        if not two:
            return (replace(_ONLY, networks=one),)
        return replace(_FIRST, networks=one), replace(_SECOND, networks=two)

    @property
    def parts(self) -> tuple[nn.Module, ...]:
        """The networks, each once."""
        return (*self.first.values(), *self.second.values())

    def take_less_of_wiener(self, by: float) -> None:
        """Lower the logit of the share of the Wiener filter's estimate."""
        networks = self.second or self.first
        for network in networks.values():
            assert isinstance(network, ShuffledUNet)
            network.lower_last(by)

    def forward(
        self,
        noisy: Volume,
        slope: Slopes,
        wiener: Volume | None,
        traits: Float[Tensor, "b k"] | None = None,
    ) -> tuple[Seen, Seen]:
        """Look at volumes in units of their noise; give the first and the last look.

        Parameters
        ----------
        noisy
            What to denoise.
        slope
            Change of the noise's variance per unit of brightness, for each volume.
        wiener
            What the Wiener filter made of the stacks that the volumes are cut from;
            none: the networks do without.
        traits
            Of these stacks; none: they are not told.
        """
        seen: list[Seen] = []
        shown = {Channel.NOISY: noisy}
        shown[Channel.WIENER] = torch.zeros_like(noisy) if wiener is None else wiener
        for look in self.looks:
            if seen:
                shown[Channel.FUSED] = seen[0].fused
                shown[Channel.DISAGREEMENT] = seen[0].disagreement
                shown[Channel.FRAMES] = seen[0].estimates[Plane.XY]
            shown |= _beside(look, shown, slope)
            alone = replace(look, mixes=look.mixes and wiener is not None)
            seen.append(_look_at(alone, shown, traits))
        return seen[0], seen[-1]


def _beside(
    look: Look, shown: Mapping[Channel, Volume], slope: Slopes
) -> dict[Channel, Volume]:
    """Compute what a look sees beside what was there before."""
    beside = {}
    if GAUSSIANS.keys() & dict(look.sees).keys():
        beside = smoothed(shown[Channel.NOISY])
    if look.level_of is Channel.NOISY:
        beside[Channel.LEVEL] = level_around(shown[Channel.NOISY], slope)
    else:
        beside[Channel.LEVEL] = noise_level(shown[look.level_of], slope)
    return beside


def _look_at(
    look: Look,
    shown: Mapping[Channel, Volume],
    traits: Float[Tensor, "b k"] | None,
) -> Seen:
    """Look at whole volumes at once."""
    estimates, weights, beyond = {}, {}, []
    volumes = [(shown[channel], reach) for channel, reach in look.sees]
    shape = shown[Channel.NOISY].shape
    for plane, network in look.networks.items():
        length = shape[1 + plane.axis]

        def take(channel: Channel, plane: Plane = plane, n: int = length) -> Images:
            return slices_of([(shown[channel], 0)], plane, 0, n)[:, 0]

        out = network(slices_of(volumes, plane, 0, length), traits).float()
        estimate, weight = look.estimate(out, take)
        estimates[plane] = unsliced(estimate, plane, shape[0])
        weights[plane] = unsliced(weight, plane, shape[0])
        beyond.append(excess(out))
    return Seen(estimates, weights, torch.stack(beyond).mean())


def _networks(
    settings: LooksSettings, planes: Iterable[Plane], look: Look
) -> nn.ModuleDict:
    """Make a look's networks, by the kind of slices that they are for."""
    kinds = dict.fromkeys(_kind(plane) for plane in planes)
    networks = {kind: _network(settings, look) for kind in kinds}
    if look.mixes:
        for network in networks.values():
            network.begin_without_last(_CLOSED)
    return nn.ModuleDict(networks)


def _network(settings: LooksSettings, look: Look) -> ShuffledUNet:
    return ShuffledUNet(
        shuffle=settings.shuffle,
        depth=settings.depth,
        width=settings.width,
        n_channels=look.n_channels,
        n_outputs=look.n_outputs,
    )


def _kind(plane: Plane) -> str:
    return "frames" if plane is Plane.XY else "time"
