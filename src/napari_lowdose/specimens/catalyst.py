"""Platinum particles on carbon, as an annular dark-field movie shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.config import Share
from napari_lowdose.specimens.scene import Scene
from napari_lowdose.specimens.specimen import Movie

# Ranges below: algorithm notes on Pt/C movies (HAADF, 300 kV).
_PROBE_STD_PX = 0.8
_TEXTURE_STD_PX = 5.0
_RAMP = 0.2
_HOP_PX = 4.0
_RETURN_RATE = 0.15
_MERGE_FRAMES = 8.0
_SMALLEST_RADIUS_PX = 0.5


class Catalyst(Movie):
    """A movie of platinum particles that move, coalesce and blink on carbon."""

    n_particles: Annotated[int, Ge(0), Le(10_000)] = 16
    """Number of particles in the first frame."""

    radius_px: Annotated[float, Gt(0), Le(256)] = 4.0
    """Mean radius of a particle, in pixels."""

    contrast: Annotated[float, Gt(0), Le(1000)] = 4.0
    """Brightness that a particle of mean radius adds at its centre, in carbons."""

    carbon_texture: Share = 0.1
    """Relative standard deviation of the carbon film's brightness."""

    motion_px: Annotated[float, Ge(0), Le(50)] = 0.3
    """Standard deviation of a mean particle's step per frame, in pixels."""

    drift_px: Annotated[float, Ge(0), Le(10)] = 0.05
    """Common drift per frame, in pixels."""

    hop_rate: Share = 0.004
    """Chance per frame that a particle jumps by several pixels."""

    blink_rate: Share = 0.01
    """Chance per frame that a particle goes dark; it comes back within some frames."""


def render_catalyst(settings: Catalyst) -> Scene:
    """Simulate particles that move, coalesce and blink on a carbon film.

    Returns
    -------
    Scene
        Expected brightness in units of the carbon's mean.

    References
    ----------
    P. D. Nellist and S. J. Pennycook, Ultramicroscopy 78, 111 (1999), Z contrast.
    """
    rng = np.random.default_rng(settings.seed)
    carbon = _carbon(settings, rng)
    particles = _Particles.scattered(settings, rng)
    frames = np.empty((settings.frames, settings.size, settings.size), np.float32)
    for frame in frames:
        metal = ndimage.gaussian_filter(particles.draw(settings), _PROBE_STD_PX)
        frame[:] = carbon + metal
        particles.advance(settings, rng)
    return settings.scene("catalyst", frames)


def _carbon(settings: Catalyst, rng: np.random.Generator) -> Float[ndarray, "y x"]:
    """Draw a rough film on a ramp of thickness; mean about 1, never below 0.1."""
    size = settings.size
    texture = ndimage.gaussian_filter(
        rng.standard_normal((size, size)), _TEXTURE_STD_PX, mode="wrap"
    )
    texture *= settings.carbon_texture / max(texture.std(), 1e-12)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:size, :size] / size - 0.5
    ramp = _RAMP * (y * np.sin(angle) + x * np.cos(angle))
    film: ndarray = np.maximum(1 + texture + ramp, 0.1)
    return film


@dataclass
class _Particles:
    """Where the particles are now; one entry of each array per particle."""

    position: Float[ndarray, "n 2"]
    radius: Float[ndarray, " n"]
    visible: Bool[ndarray, " n"]

    @classmethod
    def scattered(cls, settings: Catalyst, rng: np.random.Generator) -> _Particles:
        """Scatter particles, apart from each other where there is room."""
        n = settings.n_particles
        radius = settings.radius_px * rng.lognormal(0, 0.25, n)
        position = rng.uniform(0, settings.size - 1, (n, 2))
        for i in range(1, n):
            for _ in range(50):
                distance = np.hypot(*(position[:i] - position[i]).T)
                if np.all(distance > 1.2 * (radius[:i] + radius[i])):
                    break
                position[i] = rng.uniform(0, settings.size - 1, 2)
        return cls(position, radius, np.ones(n, bool))

    def draw(self, settings: Catalyst) -> Float[ndarray, "y x"]:
        """Project the spheres: brightness follows their thickness."""
        image = np.zeros((settings.size, settings.size))
        for (y, x), radius in zip(
            self.position[self.visible], self.radius[self.visible], strict=True
        ):
            reach = int(np.ceil(radius)) + 1
            top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
            window = image[top : int(y) + reach + 2, left : int(x) + reach + 2]
            rows = np.arange(window.shape[0])[:, None] + top - y
            columns = np.arange(window.shape[1])[None, :] + left - x
            cap = np.sqrt(np.maximum(radius**2 - rows**2 - columns**2, 0))
            # Overlapping projections of touching particles: the thicker one is seen,
            # or coalescing neighbours would flash.
            np.maximum(window, cap * settings.contrast / settings.radius_px, out=window)
        return image

    def advance(self, settings: Catalyst, rng: np.random.Generator) -> None:
        """Move, blink and coalesce by one frame."""
        n = len(self.radius)
        if not n:
            return
        # Small particles are the more mobile ones.
        std = settings.motion_px * settings.radius_px / self.radius
        self.position += rng.normal(0, 1, (n, 2)) * std[:, None] + settings.drift_px
        hops = rng.random(n) < settings.hop_rate
        self.position[hops] += rng.normal(0, _HOP_PX, (int(hops.sum()), 2))
        self.position = _reflected(self.position, settings.size - 1)
        chance = rng.random(n)
        self.visible = np.where(
            self.visible, chance >= settings.blink_rate, chance < _RETURN_RATE
        )
        self._coalesce()

    def _coalesce(self) -> None:
        """Pull touching particles together; merge them when they overlap for good."""
        gap = np.hypot(*(self.position[:, None] - self.position[None]).T)
        touch = self.radius[:, None] + self.radius[None]
        pairs = np.argwhere(np.triu(gap < 0.9 * touch, 1))
        merged: list[int] = []
        for i, j in pairs:
            if i in merged or j in merged:
                continue
            volume_i, volume_j = self.radius[i] ** 3, self.radius[j] ** 3
            volume = volume_i + volume_j
            centre = (
                self.position[i] * volume_i + self.position[j] * volume_j
            ) / volume
            if gap[i, j] < 0.3 * np.cbrt(volume):
                self.position[i], self.radius[i] = centre, np.cbrt(volume)
                self.visible[i] |= self.visible[j]
                merged.append(int(j))
            else:
                pull = 1 - np.exp(-1 / _MERGE_FRAMES)
                self.position[i] += (centre - self.position[i]) * pull
                self.position[j] += (centre - self.position[j]) * pull
        kept = np.setdiff1d(np.arange(len(self.radius)), merged)
        kept = kept[self.radius[kept] > _SMALLEST_RADIUS_PX]
        self.position, self.radius = self.position[kept], self.radius[kept]
        self.visible = self.visible[kept]


def _reflected(position: Float[ndarray, "n 2"], last: float) -> Float[ndarray, "n 2"]:
    """Turn particles back at the rim of the frame."""
    folded: ndarray = last - np.abs(last - np.mod(np.abs(position), 2 * last))
    return folded
