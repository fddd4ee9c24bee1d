"""Gains of a network's features, told by the traits of the stack at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from napari_lowdose.networks.traits import N_TRAITS

_LISTENERS = 64
_MOST = 1.5  # logarithm of the largest gain, and the largest shift

Scaling = tuple[Float[Tensor, "b c"], Float[Tensor, "b c"]]


class Gains(nn.Module):
    """Find a gain and a shift for each feature of some convolutions.

    The gains of features are what adapts a denoiser to the data at hand with the least
    freedom; here traits tell them, at no cost per voxel and without training. An
    untrained one changes nothing.

    Parameters
    ----------
    widths
        Features of the convolutions.

    References
    ----------
    S. Mohan et al., GainTuning, NeurIPS 2021, which trains gains for each image.
    E. Perez et al., FiLM, AAAI 2018, for gains and shifts that something else tells.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = list(widths)
        # The random numbers that other weights are drawn by stay as they are.
        with torch.random.fork_rng(devices=[]):
            self.listen = nn.Linear(N_TRAITS, _LISTENERS)
            self.say = nn.Linear(_LISTENERS, 2 * sum(widths))
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, traits: Float[Tensor, "b n"]) -> Iterator[Scaling]:
        """Give gains and shifts, one convolution after the other."""
        with torch.autocast(traits.device.type, enabled=False):
            said = self.say(torch.tanh(self.listen(traits.float())))
            gains, shifts = (_MOST * torch.tanh(said / _MOST)).chunk(2, dim=1)
        parts = (torch.split(all_, self.widths, 1) for all_ in (gains.exp(), shifts))
        return zip(*parts, strict=True)
