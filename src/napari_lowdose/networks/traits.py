"""Traits of a movie: what shows above its noise at each size, and how long it lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Real
from numpy import ndarray
from torch import Tensor

from napari_lowdose.networks.gaussian import gaussian

Traits = Float[Tensor, " n"]

# Deviations in pixels, between which bands of details lie; the last one reaches up to
# the mean of the frame.
_EDGES_PX = (1.0, 2.0, 4.0, 8.0)
_LAGS = (1, 2, 4, 8)
_FEWEST_FRAMES = 12
N_TRAITS = (len(_EDGES_PX) + 1) * (len(_LAGS) + 1) + 1
# What is looked at: as many frames from the middle, and windows all over the frame.
_FRAMES, _WINDOW_PX, _WINDOWS = 48, 128, 2


def windows_of(stack: Real[ndarray, "t y x"]) -> list[Real[ndarray, "n h w"]]:
    """Cut the parts of a stack that its traits are read off."""
    first = max(0, len(stack) - _FRAMES) // 2
    rows, columns = (_spread(n) for n in stack.shape[1:])
    frames = slice(first, first + _FRAMES)
    return [stack[frames, row, column] for row in rows for column in columns]


def _spread(n: int) -> list[slice]:
    """Spread windows evenly over an axis."""
    number = min(_WINDOWS, max(1, n // _WINDOW_PX))
    middles = (np.arange(number) + 0.5) / number * n
    starts = np.maximum(middles - _WINDOW_PX / 2, 0).astype(int)
    return [slice(start, start + _WINDOW_PX) for start in starts]


@torch.no_grad()
def traits_of(windows: Iterable[Float[ndarray, "t y x"]], slope: float) -> Traits:
    """Tell the traits of a stack by some of its parts.

    Noise is independent from frame to frame, so the mean product of a frame and a later
    one, both limited to a band of sizes, tells how much of what shows there is still
    there: nothing for noise, little for what moves fast. That of three frames tells
    bright details on dark from dark ones on bright. Of few frames nothing can be told.

    Parameters
    ----------
    windows
        In units of the noise, as `windows_of` cuts them.
    slope
        Change of the noise's variance per unit of brightness.

    Returns
    -------
    Traits
        Numbers between about -1 and 1: for each band the root of the correlation after
        1, 2, 4 and 8 frames and the cubic root of the mean product of three frames, and
        last the slope. All are 0 where there are too few frames.
    """
    moments = []
    for window in windows:
        if len(window) < _FEWEST_FRAMES:
            return torch.zeros(N_TRAITS)
        moments.append(_moments(torch.from_numpy(window)))
    found = torch.stack(moments).mean(0)
    power, products, triples = found[:, :1], found[:, 1:-1], found[:, -1:]
    power = power.clamp(min=torch.finfo(power.dtype).eps)
    lasting = _root(products / power, 2)
    bright = _root(triples / power**1.5, 3)
    steep = torch.tensor([slope / (1 + slope)], dtype=lasting.dtype)
    return torch.cat([torch.cat([lasting, bright], 1).flatten(), steep]).float()


def _moments(window: Float[Tensor, "t y x"]) -> Float[Tensor, "bands moments"]:
    """Give each band's power, mean products over the lags, and that of three frames."""
    bands = []
    for fine, coarse in pairwise(_levels(window)):
        band = (fine - coarse).flatten(1)
        products = band @ band.T
        means = [products.diagonal(lag).mean() for lag in (0, *_LAGS)]
        pairs = band[1:-1] * band[:-2]
        three = torch.dot(pairs.flatten(), band[2:].flatten()) / len(pairs)
        bands.append(torch.stack([*means, three]) / band.shape[1])
    return torch.stack(bands).double()


def _levels(window: Float[Tensor, "t y x"]) -> Iterator[Float[Tensor, "t y x"]]:
    """Give the window, and means over ever more of it."""
    yield window
    for std in _EDGES_PX:
        down, along = (gaussian(n, std, window.device) for n in window.shape[1:])
        yield down @ window @ along.T
    yield window.mean((1, 2), keepdim=True)


def _root(values: Tensor, degree: int) -> Tensor:
    return values.sign() * values.abs() ** (1 / degree)
