"""The U-Net, padded so that its output is as large as its input."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class UNet(nn.Module):
    """Estimate a slice from a noisy one.

    Per level two 3x3 convolutions with ReLU, halved by max-pooling on the way down,
    doubled by 2x2 up-convolutions on the way up, with the skipped features
    concatenated; a 1x1 convolution ends it. Depth 4 and width 64 make the 23 layers and
    31,030,593 weights of the original; unlike it, convolutions are padded: the unpadded
    form has no output for slices below 188 pixels.

    Parameters
    ----------
    depth
        How many times the resolution is halved.
    width
        Features at full resolution.
    n_channels
        Images per input: the noisy slice, perhaps with earlier estimates.

    References
    ----------
    O. Ronneberger, P. Fischer and T. Brox, MICCAI 2015, 234.
    """

    def __init__(self, *, depth: int, width: int, n_channels: int = 1) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.depth = depth
        self.down = nn.ModuleList(
            double_convolution(before, after)
            for before, after in zip([n_channels, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * w, w, kernel_size=2, stride=2) for w in widths[:-1]
        )
        self.merge = nn.ModuleList(double_convolution(2 * w, w) for w in widths[:-1])
        self.last = nn.Conv2d(width, 1, kernel_size=1)
        self.apply(initialise)

    @property
    def step(self) -> int:
        """Pixels that pooling makes one: slices are padded to its multiples."""
        return int(2**self.depth)

    @property
    def halo(self) -> int:
        """How far, in pixels, an input pixel may reach; a multiple of `step`.

        Two convolutions per level down and up, two at the bottom, and the pooling
        reach 7 * 2**depth - 5 pixels.
        """
        return 7 * self.step

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 h w"]:
        """Estimate slices of any size; rims are continued by their last pixel."""
        height, width = images.shape[-2:]
        features = functional.pad(
            images, (0, -width % self.step, 0, -height % self.step), mode="replicate"
        )
        skipped: list[Tensor] = []
        for level, convolutions in enumerate(self.down):
            if level:
                skipped.append(features)
                features = functional.max_pool2d(features, 2)
            features = convolutions(features)
        for level in reversed(range(self.depth)):
            doubled = self.up[level](features)
            features = self.merge[level](torch.cat([skipped[level], doubled], dim=1))
        estimate: Tensor = self.last(features)
        return estimate[..., :height, :width]


def double_convolution(before: int, after: int) -> nn.Sequential:
    """Make two 3x3 convolutions with ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
    )


def initialise(module: nn.Module) -> None:
    """Keep the variance through ReLU layers (He et al., ICCV 2015)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
