"""The state of a training: all that a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn

from napari_lowdose.config import Compute, Network, Plane, Training
from napari_lowdose.denoiser import Denoiser
from napari_lowdose.networks import NETWORKS, Look, arithmetic
from napari_lowdose.normalization import Normalizer

Weights = Mapping[str, Tensor]


@dataclass
class PlaneRun:
    """One plane's network on its way: present weights, optimiser, best weights."""

    network: nn.Module
    optimizer: torch.optim.Adam
    scaler: torch.amp.GradScaler
    best_loss: float = float("inf")
    best: Weights = field(default_factory=dict)

    def remember(self, loss: float) -> None:
        """Keep the present weights if they validate better than any before."""
        if loss < self.best_loss:
            self.best_loss = loss
            self.best = copied(self.network.state_dict())

    @property
    def best_weights(self) -> Weights:
        """The weights to denoise with: the best so far, or the first there are."""
        return self.best or self.network.state_dict()


@dataclass
class TrainingRun:
    """A training that can be continued, saved, or turned into a denoiser.

    Parameters
    ----------
    training
        The user's settings, with the objective that was chosen.
    normalizer, noise_share
        Those of the first training stack: they tell later whether a stack is alike.
    planes
        The networks by plane.
    rng
        Source of all chance after the first weights.
    epoch
        Number of finished epochs.
    covariance
        Of the planes' errors on the held-out part; none before it was measured.
    """

    training: Training
    normalizer: Normalizer
    noise_share: float
    planes: dict[Plane, PlaneRun]
    rng: np.random.Generator
    epoch: int = 0
    covariance: Float[ndarray, "n n"] | None = None

    @classmethod
    def start(
        cls,
        training: Training,
        planes: tuple[Plane, ...],
        normalizer: Normalizer,
        noise_share: float,
    ) -> TrainingRun:
        """Begin with fresh weights that follow from the seed."""
        runs = {}
        for number, plane in enumerate(planes):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(training.seed + number)
                network = new_network(training.network)
            runs[plane] = plane_run(network, training)
        rng = np.random.default_rng(training.seed)
        return cls(training, normalizer, noise_share, runs, rng)

    def denoiser(
        self, normalizer: Normalizer | None = None, compute: Compute | None = None
    ) -> Denoiser:
        """Make a denoiser of the best weights so far; later training leaves it alone.

        Parameters
        ----------
        normalizer
            That of the stack to denoise; by default that of the training stack.
        compute
            Device, precision and threads; by default those of the training.
        """
        look = {}
        for plane, run in self.planes.items():
            network = new_network(self.training.network)
            network.load_state_dict(dict(run.best_weights))
            look[plane] = network
        return Denoiser(
            normalizer or self.normalizer,
            (Look(look),),
            covariance=self.covariance,
            compute=compute or self.training.compute,
        )


def new_network(settings: Network) -> nn.Module:
    """Build a plane's network; its weights come from torch's global generator."""
    return NETWORKS["unet"](depth=settings.depth, width=settings.width)


def plane_run(network: nn.Module, training: Training) -> PlaneRun:
    """Put a network on its device and give it an optimiser."""
    how = arithmetic(training.compute)
    how.on_device(network)
    return PlaneRun(
        network,
        torch.optim.Adam(network.parameters(), lr=training.learning_rate),
        torch.amp.GradScaler(how.device.type, enabled=how.needs_loss_scaling),
    )


def copied(weights: Weights) -> Weights:
    """Copy weights to plain memory, out of the optimiser's reach."""
    return {
        name: value.detach().cpu().contiguous().clone()
        for name, value in weights.items()
    }
