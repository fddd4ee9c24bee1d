"""The networks of a base model: one look or two from three directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from napari_lowdose.config import LooksSettings, Plane
from napari_lowdose.networks.look import (
    Channel,
    Look,
    Slopes,
    Volume,
    level_around,
    noise_level,
    slices_of,
    smoothed,
    unsliced,
    weight_of,
)
from napari_lowdose.networks.shuffled_unet import ShuffledUNet

_FIRST_SEES = ((Channel.NOISY, 0), (Channel.LEVEL, 0))
_SECOND_SEES = (
    (Channel.NOISY, 2),
    (Channel.SMOOTH, 0),
    (Channel.WIDE, 0),
    (Channel.FUSED, 1),
    (Channel.DISAGREEMENT, 0),
    (Channel.LEVEL, 0),
)


@dataclass(frozen=True)
class Seen:
    """What a look made of volumes: each plane's estimate and its weight."""

    estimates: Mapping[Plane, Volume]
    weights: Mapping[Plane, Volume]

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
        return torch.stack(tuple(self.estimates.values())).std(dim=0)


class LooksNetwork(nn.Module):
    """All networks of a base model.

    The first look sees single noisy slices, one plane at a time, as the tri-directional
    paper does. The second one sees noisy slices with their neighbours, wide means,
    what the first look made of them, and where its planes disagree; it gives
    corrections. Both kinds of slices through time show the same things, so that they
    share weights.

    Parameters
    ----------
    settings
        Size of the networks, and the planes of the second look.
    """

    def __init__(self, settings: LooksSettings) -> None:
        super().__init__()
        self.settings = settings
        self.first = _networks(settings, tuple(Plane), _FIRST_SEES)
        self.second = _networks(settings, settings.second_planes, _SECOND_SEES)

    @property
    def looks(self) -> tuple[Look, ...]:
        """The looks, with the present weights."""
        first = {plane: self.first[_kind(plane)] for plane in Plane}
        second = {p: self.second[_kind(p)] for p in self.settings.second_planes}
        looks = (
            Look(first, _FIRST_SEES, weighs=True),
            Look(second, _SECOND_SEES, weighs=True, corrects=True),
        )
        return looks if second else looks[:1]

    def forward(self, noisy: Volume, slope: Slopes) -> tuple[Seen, Seen]:
        """Look at volumes in units of their noise; give the first and the last look."""
        first, *later = self.looks
        shown = {Channel.NOISY: noisy, Channel.LEVEL: level_around(noisy, slope)}
        seen = _look_at(first, shown)
        if not later:
            return seen, seen
        shown.update(smoothed(noisy))
        shown[Channel.FUSED] = seen.fused
        shown[Channel.DISAGREEMENT] = seen.disagreement
        shown[Channel.LEVEL] = noise_level(shown[Channel.FUSED], slope)
        return seen, _look_at(later[0], shown)


def _look_at(look: Look, shown: Mapping[Channel, Volume]) -> Seen:
    """Look at whole volumes at once."""
    estimates, weights = {}, {}
    volumes = [(shown[channel], reach) for channel, reach in look.sees]
    shape = shown[Channel.NOISY].shape
    for plane, network in look.networks.items():
        images = slices_of(volumes, plane, 0, shape[1 + plane.axis])
        out = network(images).float()
        estimate = unsliced(out[:, 0], plane, shape[0])
        estimates[plane] = (
            estimate + shown[Channel.FUSED] if look.corrects else estimate
        )
        weights[plane] = weight_of(unsliced(out[:, 1], plane, shape[0]))
    return Seen(estimates, weights)


def _networks(
    settings: LooksSettings,
    planes: Iterable[Plane],
    sees: tuple[tuple[Channel, int], ...],
) -> nn.ModuleDict:
    """Make a look's networks, by the kind of slices that they are for."""
    n_channels = Look({}, sees).n_channels
    return nn.ModuleDict(
        {
            kind: ShuffledUNet(
                shuffle=settings.shuffle,
                depth=settings.depth,
                width=settings.width,
                n_channels=n_channels,
                n_outputs=2,
            )
            for kind in dict.fromkeys(_kind(plane) for plane in planes)
        }
    )


def _kind(plane: Plane) -> str:
    return "frames" if plane is Plane.XY else "time"
