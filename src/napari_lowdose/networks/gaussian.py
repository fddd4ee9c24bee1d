"""Weights of Gaussian means."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

# Beside 1 lost in single precision. Much smaller ones, and their products, are
# subnormal, with which products of matrices took ten times as long on a CPU.
_LEAST = 1e-12


def gaussian(n: int, std: float, device: torch.device) -> Float[Tensor, "n n"]:
    """Give the weights of a Gaussian mean around each of so many places."""
    places = torch.arange(n, device=device).float()
    weights = (-0.5 * ((places[:, None] - places) / std).square()).exp()
    weights[weights < _LEAST] = 0
    return weights / weights.sum(1, keepdim=True)
