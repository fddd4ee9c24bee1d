"""Single platinum atoms that sit on the carbon and jump."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray
from scipy.spatial import KDTree

from napari_lowdose.specimens.catalyst.carbon import Carbon
from napari_lowdose.specimens.catalyst.particles import Particles
from napari_lowdose.specimens.catalyst.settings import Catalyst
from napari_lowdose.specimens.scene import Happening, Tracks

_NEIGHBOUR_NM = 0.277  # in platinum
_PER_NM3 = 66.2  # atoms of platinum
_LARGEST_GROUP = 4


def atom_volume(settings: Catalyst) -> float:
    """Give the volume of an atom in the metal, in cubic pixels."""
    return 1 / (_PER_NM3 * settings.pixel_size_nm**3)


@dataclass
class Adatoms:
    """All single atoms now; particles take up those that they meet."""

    settings: Catalyst
    carbon: Carbon
    tracks: Tracks
    ids: Iterator[int]
    rng: np.random.Generator
    frame: int = 0
    position: Float[ndarray, "n 2"] = field(default_factory=lambda: np.zeros((0, 2)))
    names: Integer[ndarray, " n"] = field(default_factory=lambda: np.zeros(0, int))
    inside: Bool[ndarray, " n"] = field(default_factory=lambda: np.zeros(0, bool))

    def scatter(self, particles: Particles) -> None:
        """Place groups of one to four atoms beside the particles."""
        n = self.settings.n_atoms
        if not n:
            return
        last = np.subtract(self.settings.shape, 1)
        group = np.repeat(
            self.rng.uniform(0, 1, (n, 2)) * last,
            self.rng.integers(1, _LARGEST_GROUP + 1, n),
            axis=0,
        )[:n]
        position = group + self._jumps(n)
        free = self.carbon.sees(position) & self.carbon.carries(position, 0)
        free &= self._taker(position, particles) < 0
        self.position = position[free]
        self.names = np.array([next(self.ids) for _ in self.position], int)
        self.inside = np.ones(len(self.names), bool)

    def advance(self, particles: Particles) -> None:
        """Go on by one frame, after the particles did."""
        self.frame += 1
        if not len(self.names):
            return
        jump = self.rng.random(len(self.names)) < self.settings.atom_jump_rate
        target = self.position + self._jumps(len(self.names))
        jump &= self.carbon.carries(target, self.frame)
        jump &= self.carbon.sees(target) == self.inside
        position = np.where(jump[:, None], target, self.position)
        self.position = self.carbon.drifted(position, around=np.ones(len(jump), bool))
        self._join(particles)
        self._cross_rim()

    def _jumps(self, n: int) -> Float[ndarray, "n 2"]:
        """Draw jumps to places about a neighbour's distance away."""
        angle = self.rng.uniform(0, 2 * np.pi, n)
        length = self.rng.uniform(1, 2, n) * _NEIGHBOUR_NM / self.settings.pixel_size_nm
        jumps: ndarray = length[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
        return jumps

    def _join(self, particles: Particles) -> None:
        """Let atoms become part of the particles that they are in."""
        taker = self._taker(self.position, particles)
        for at in np.flatnonzero(taker >= 0):
            particles.absorb(int(taker[at]), atom_volume(self.settings))
            if self.inside[at]:
                particles.tell_end(int(self.names[at]), int(taker[at]))
        free = taker < 0
        self.position, self.names = self.position[free], self.names[free]
        self.inside = self.inside[free]

    def _cross_rim(self) -> None:
        """Lose sight of who leaves the frame; who enters is another one."""
        inside = self.carbon.sees(self.position)
        left, entered = self.inside & ~inside, inside & ~self.inside
        self.tracks.happen(self.frame, Happening.DEATH, self.names[left].tolist())
        self.names[entered] = [next(self.ids) for _ in range(int(entered.sum()))]
        self.tracks.happen(self.frame, Happening.BIRTH, self.names[entered].tolist())
        self.inside = inside

    def _taker(
        self, position: Float[ndarray, "n 2"], particles: Particles
    ) -> Integer[ndarray, " n"]:
        """Find the place of the particle that each atom is in; -1: none."""
        seen = np.flatnonzero(particles.all["visible"])
        if not len(seen):
            return np.full(len(position), -1)
        distance, nearest = KDTree(particles.all["position"][seen]).query(position)
        inside = distance < particles.drawn_radius[seen][nearest]
        return np.where(inside, seen[nearest], -1)
