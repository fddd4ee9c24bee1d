"""Networks that map noisy slices to estimates, and where they run."""

from collections.abc import Callable, Mapping

from torch import nn

from napari_lowdose.networks.arithmetic import Arithmetic, arithmetic
from napari_lowdose.networks.look import Channel, Look
from napari_lowdose.networks.looks import LooksNetwork
from napari_lowdose.networks.unet import UNet

NETWORKS: Mapping[str, Callable[..., nn.Module]] = {"unet": UNet}

__all__ = [
    "NETWORKS",
    "Arithmetic",
    "Channel",
    "Look",
    "LooksNetwork",
    "UNet",
    "arithmetic",
]
