"""A U-Net that works on shuffled pixels: finer details ride along as channels."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from napari_lowdose.networks.arithmetic import layout
from napari_lowdose.networks.gains import Gains, Scaling
from napari_lowdose.networks.traits import Traits
from napari_lowdose.networks.unet import double_convolution, initialise

_WIDEST = 2  # times the first width


class ShuffledUNet(nn.Module):
    """Estimate slices from noisy ones, at a fraction of a U-Net's convolutions.

    Blocks of pixels become channels of one pixel, so that all convolutions work at low
    resolution; the last one gives the pixels back. Per level two 3x3 convolutions with
    ReLU on the way down and on the way up, halved by 2x2 convolutions of step two,
    doubled by up-convolutions, with the skipped features added. The last convolution
    sees the input again. The traits of a stack, if told, set gains of all features but
    those of the first and the last convolution.

    Parameters
    ----------
    shuffle
        Edge of the blocks of pixels that become one.
    depth
        How many times that resolution is halved.
    width
        Features at the finest level; twice as many below.
    n_channels, n_outputs
        Images per input and per output.

    References
    ----------
    K. Zhang, W. Zuo and L. Zhang, FFDNet, IEEE Trans. Image Process. 27, 4608 (2018),
    for working on shuffled pixels.
    """

    def __init__(
        self,
        *,
        shuffle: int,
        depth: int,
        width: int,
        n_channels: int = 1,
        n_outputs: int = 1,
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, _WIDEST) for level in range(depth + 1)]
        block = shuffle**2
        self.shuffle, self.depth = shuffle, depth
        self.first = nn.Sequential(
            nn.Conv2d(block * n_channels, width, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=2, stride=2)
            for before, after in pairwise(widths)
        )
        self.enter = nn.ModuleList(double_convolution(w, w) for w in widths)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(below, above, kernel_size=2, stride=2)
            for above, below in pairwise(widths)
        )
        self.leave = nn.ModuleList(double_convolution(w, w) for w in widths[:-1])
        self.last = nn.Conv2d(
            width + block * n_channels, block * n_outputs, kernel_size=3, padding=1
        )
        self.apply(initialise)
        self.gains = Gains([c.out_channels for c in self._scaled])

    @torch.no_grad()
    def begin_without_last(self, value: float) -> None:
        """Make the last input unseen and the last output constant, to begin with."""
        block = self.shuffle**2
        entry = self.first[0]
        assert isinstance(entry, nn.Conv2d)
        assert self.last.bias is not None
        for convolution in (entry, self.last):
            convolution.weight[:, -block:] = 0
        self.last.weight[-block:] = 0
        self.last.bias[-block:] = value

    @torch.no_grad()
    def lower_last(self, by: float) -> None:
        """Take something off the last output."""
        assert self.last.bias is not None
        self.last.bias[-(self.shuffle**2) :] -= by

    @property
    def _scaled(self) -> list[nn.Conv2d]:
        """The convolutions whose features have gains, in the order of their work."""
        blocks = (*self.enter, *self.leave[::-1])
        return [part for b in blocks for part in b if isinstance(part, nn.Conv2d)]

    @torch.no_grad()
    def told(self, traits: Traits) -> ShuffledUNet:
        """Give a network for stacks of such traits, which costs no more per voxel."""
        network = deepcopy(self)
        scalings = self.gains(traits.to(self.last.weight.device)[None])
        for convolution, scaling in zip(network._scaled, scalings, strict=True):
            weight, bias = _with_gain(convolution, scaling)
            convolution.weight.copy_(weight)
            assert convolution.bias is not None
            convolution.bias.copy_(bias)
        return network

    @property
    def step(self) -> int:
        """Pixels that become one at the coarsest level."""
        return int(self.shuffle * 2**self.depth)

    @property
    def halo(self) -> int:
        """How far, in pixels, an input pixel may reach; a multiple of `step`.

        Two convolutions per level down and up, two at the coarsest, two more at the
        finest; the 2x2 ones add less than a pixel of the coarsest level.
        """
        return 7 * self.step

    def forward(
        self,
        images: Float[Tensor, "n c h w"],
        traits: Float[Tensor, "b k"] | None = None,
    ) -> Float[Tensor, "n o h w"]:
        """Estimate slices of any size; beyond their rims there is nothing: zero.

        Parameters
        ----------
        images
            Noisy slices.
        traits
            Of as many stacks, from each of which as many slices come, one stack's after
            the other's; none: no gains are told.
        """
        height, width = images.shape[-2:]
        return self.from_shuffled(self.shuffled(images), traits)[..., :height, :width]

    def shuffled(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n s p q"]:
        """Make blocks of pixels channels, after zeros beyond rims to whole steps."""
        height, width = images.shape[-2:]
        rim = (0, -width % self.step, 0, -height % self.step)
        if any(rim):  # else it would be a copy
            images = functional.pad(images, rim)
        shuffled = functional.pixel_unshuffle(images, self.shuffle)
        return shuffled.contiguous(memory_format=layout(shuffled.device))

    def from_shuffled(
        self,
        shuffled: Float[Tensor, "n s p q"],
        traits: Float[Tensor, "b k"] | None = None,
    ) -> Float[Tensor, "n o h w"]:
        """Estimate slices from what `shuffled` made of them, rims of zeros included.

        Unlike `forward` it leaves nobody a reason to keep the slices themselves.
        """
        scalings = None if traits is None else self.gains(traits)
        features = self.first(shuffled)
        skipped: list[Tensor] = []
        for level, convolutions in enumerate(self.enter):
            if level:
                skipped.append(features)
                features = self.down[level - 1](features)
            features = _convolved(features, convolutions, scalings)
        for level in reversed(range(len(skipped))):
            features = self.up[level](features) + skipped[level]
            features = _convolved(features, self.leave[level], scalings)
        shown = self.last(torch.cat([features, shuffled.to(features.dtype)], dim=1))
        estimate: Tensor = functional.pixel_shuffle(shown, self.shuffle)
        return estimate


def _convolved(
    features: Tensor, block: nn.Module, scalings: Iterator[Scaling] | None
) -> Tensor:
    """Pass through a block of convolutions, with gains where there are any."""
    assert isinstance(block, nn.Sequential)
    for layer in block:
        if scalings is None or not isinstance(layer, nn.Conv2d):
            features = layer(features)
            continue
        scaling = next(scalings)
        if len(scaling[0]) == 1:
            # Of one stack: weights with gains are far fewer than features with gains.
            weight, bias = _with_gain(layer, scaling)
            features = functional.conv2d(features, weight, bias, padding=layer.padding)
            continue
        features = layer(features)
        # Of each stack, for all its slices.
        gain, shift = (
            part.repeat_interleave(len(features) // len(part), 0).to(features.dtype)[
                :, :, None, None
            ]
            for part in scaling
        )
        features = torch.addcmul(shift, features, gain)
    return features


def _with_gain(convolution: nn.Conv2d, scaling: Scaling) -> tuple[Tensor, Tensor]:
    """Give weights and biases that come to the same as one stack's gains thereafter."""
    gain, shift = (part[0] for part in scaling)
    assert convolution.bias is not None
    weight = convolution.weight * gain[:, None, None, None]
    return weight, convolution.bias * gain + shift
