"""What a base model learns from: noisy cubes in units of their noise, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from napari_lowdose.classical.wiener import denoise_wiener
from napari_lowdose.networks.traits import traits_of, windows_of
from napari_lowdose.specimens.draws import log_uniform

# Kinds of noise: how often each is drawn.
_COUNTING, _READOUT, _EXCESS = 0.55, 0.25, 0.1  # the rest: Gaussian
# The noise of a stack is read off the stack, and not without error.
_STD_ERROR, _SLOPE_ERROR = 0.04, 0.15


@dataclass(frozen=True)
class Cubes:
    """Noisy cubes with their truth, all in units of the noise at the movie's mean.

    Parameters
    ----------
    noisy, truth
        Above the mean.
    wiener
        What the Wiener filter made of the noisy movies that the cubes are cut from;
        none: it is not to be seen.
    slope
        Change of the noise's variance per unit of brightness.
    traits
        Of the noisy movies, see `networks.traits`; none: they are not told.
    weight
        How much each cube's error counts; none: all alike.
    mask
        The voxels whose errors count; none: all.
    """

    noisy: Float[Tensor, "b t y x"]
    truth: Float[Tensor, "b t y x"]
    wiener: Float[Tensor, "b t y x"] | None
    slope: Float[Tensor, "b 1 1 1"]
    traits: Float[Tensor, "b k"] | None
    weight: Float[Tensor, "b 1 1 1"] | None = None
    mask: Bool[Tensor, "b t y x"] | None = None

    @property
    def shown(self) -> tuple[Any, ...]:
        """What networks see of them, as `networks.LooksNetwork` takes it."""
        return self.noisy, self.slope, self.wiener, self.traits

    def cut(self, cut: Callable[[Tensor], Tensor]) -> Cubes:
        """Cut all volumes alike."""
        return replace(
            self,
            noisy=cut(self.noisy),
            truth=cut(self.truth),
            wiener=None if self.wiener is None else cut(self.wiener),
            mask=None if self.mask is None else cut(self.mask),
        )

    def frames(self, first: int) -> Cubes:
        """Keep the frames from one on."""
        return self.cut(lambda volume: volume[:, first:])

    def on(self, device: torch.device) -> Cubes:
        """Bring all to a device."""
        return _mapped(lambda parts: parts[0].to(device), [self])


def add_drawn_noise(
    clean: Float[ndarray, "t y x"],
    rng: np.random.Generator,
    doses: tuple[float, float],
) -> Cubes:
    """Draw a dose and a kind of noise for a movie with a mean of 1.

    Quanta are counted alone, read out with noise, or multiplied (which doubles their
    variance); or the noise is Gaussian and alike everywhere.
    """
    dose = log_uniform(rng, *doses)
    counts, expected, excess, readout = _exposed(clean, dose, rng)
    std = float(np.sqrt(excess * dose + readout**2))
    unit = std * float(np.exp(_STD_ERROR * rng.standard_normal()))
    slope = excess / std * np.exp(_SLOPE_ERROR * rng.standard_normal())
    noisy, truth = ((part - dose) / unit for part in (counts, expected))
    return Cubes(
        _volume(noisy),
        _volume(truth),
        _volume(denoise_wiener(noisy)),
        torch.full((1, 1, 1, 1), slope),
        traits_of(windows_of(noisy), float(slope))[None],
    )


def _volume(stack: Float[ndarray, "t y x"]) -> Float[Tensor, "1 t y x"]:
    return torch.from_numpy(stack.astype(np.float32))[None]


def crop(cubes: Cubes, rng: np.random.Generator, shape: tuple[int, int, int]) -> Cubes:
    """Cut out smaller cubes, mirrored and turned by chance."""
    corner = rng.integers(np.subtract(cubes.noisy.shape[1:], shape) + 1)
    axes = tuple(1 + int(axis) for axis in np.flatnonzero(rng.random(3) < 0.5))
    turned = shape[1] == shape[2] and rng.random() < 0.5

    def cut(volume: Tensor) -> Tensor:
        for axis, (start, length) in enumerate(zip(corner, shape, strict=True)):
            volume = volume.narrow(1 + axis, int(start), length)
        volume = volume.flip(axes)
        return volume.swapaxes(2, 3) if turned else volume

    return cubes.cut(cut)


def joined(cubes: Sequence[Cubes]) -> Cubes:
    """Put cubes of one shape together."""
    return _mapped(torch.cat, cubes)


def _mapped(
    function: Callable[[tuple[Tensor, ...]], Tensor], cubes: Sequence[Cubes]
) -> Cubes:
    """Make cubes of the same part of several ones; what is absent stays so."""
    parts: dict[str, Any] = {}
    for name in (field.name for field in fields(Cubes)):
        same = tuple(getattr(c, name) for c in cubes)
        parts[name] = None if same[0] is None else function(same)
    return Cubes(**parts)


def _exposed(
    cube: Float[ndarray, "t y x"], dose: float, rng: np.random.Generator
) -> tuple[ndarray, ndarray, float, float]:
    """Expose a cube: counts, what was expected, variance per quantum, readout noise."""
    kind = rng.random()
    expected = dose * cube
    if kind >= _COUNTING + _READOUT + _EXCESS:
        std = float(np.sqrt(dose))
        noise = std * rng.standard_normal(cube.shape, dtype=np.float32)
        return expected + noise, expected, 0.0, std
    counts = rng.poisson(expected).astype(np.float32)
    if kind < _COUNTING:
        return counts, expected, 1.0, 0.0
    if kind < _COUNTING + _READOUT:
        std = float(np.sqrt(dose)) * log_uniform(rng, 0.1, 3)
        noise = std * rng.standard_normal(cube.shape, dtype=np.float32)
        return counts + noise, expected, 1.0, std
    return rng.standard_gamma(counts).astype(np.float32), expected, 2.0, 0.0
