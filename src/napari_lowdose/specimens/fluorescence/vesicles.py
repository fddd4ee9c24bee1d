"""Vesicles: bright spots that diffuse, ride along filaments, blink and vanish."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

from napari_lowdose.specimens.fluorescence.filaments import Filaments
from napari_lowdose.specimens.scene import Happening, Tracks

_RIDING_AT_FIRST = 0.5
_LANDING_RATE = 0.1  # per frame, of a vesicle near a filament
_LANDING_PX = 3.0
_RELEASE_RATE = 0.03  # per frame
_KEPT_OFFSET = 0.7  # of the distance from its filament, per frame
_RETURN_RATE = 0.15  # per frame
_FREE = -1


@dataclass
class Vesicles:
    """All vesicles of a movie; one entry of each array per vesicle, by id.

    Parameters
    ----------
    shape
        Rows and columns of the frame that holds them.
    birth, death
        First frame of each, and the one from which on it is gone for good.
    position
        Centres (y, x), in pixels.
    share
        Brightness, as a multiple of the common one.
    visible
        Whether it is lit.
    filament
        Which filament it rides; -1: none, it diffuses.
    arc
        How far along its filament it is, in pixels.
    speed
        Along its filament, as a multiple of the common one; its sign is the direction.
    offset
        From its filament (y, x), in pixels.
    """

    shape: tuple[int, int]
    birth: Integer[ndarray, " n"]
    death: Integer[ndarray, " n"]
    position: Float[ndarray, "n 2"]
    share: Float[ndarray, " n"]
    visible: Bool[ndarray, " n"]
    filament: Integer[ndarray, " n"]
    arc: Float[ndarray, " n"]
    speed: Float[ndarray, " n"]
    offset: Float[ndarray, "n 2"]

    @classmethod
    def scattered(
        cls,
        n: int,
        shape: tuple[int, int],
        rng: np.random.Generator,
        *,
        frames: int,
        turnover_rate: float,
    ) -> Vesicles:
        """Scatter vesicles over a frame, and those to come in the frames after it."""
        births = rng.poisson(n * turnover_rate, frames)
        births[0] = n
        birth = np.repeat(np.arange(frames), births)
        life = rng.geometric(turnover_rate or 1.0, len(birth))
        n = len(birth)
        return cls(
            shape,
            birth,
            birth + (life if turnover_rate else frames),
            rng.uniform(0, 1, (n, 2)) * (np.array(shape) - 1),
            rng.lognormal(0, 0.35, n),
            np.ones(n, bool),
            np.full(n, _FREE),
            np.zeros(n),
            rng.lognormal(0, 0.4, n) * rng.choice([-1.0, 1.0], n),
            np.zeros((n, 2)),
        )

    def alive(self, frame: int) -> Integer[ndarray, " k"]:
        """List the ids of those that exist in a frame."""
        return np.flatnonzero((self.birth <= frame) & (frame < self.death))

    def board(self, filaments: Filaments, rng: np.random.Generator) -> None:
        """Put some vesicles of the first frame on filaments."""
        n_filaments = len(filaments.length)
        first = self.alive(0)
        if not n_filaments:
            return
        filament = rng.integers(n_filaments, size=len(first))
        arc = rng.uniform(0, 1, len(first)) * filaments.length[filament]
        place = filaments.at(filament, arc)
        rides = self._in_frame(place) & (rng.random(len(first)) < _RIDING_AT_FIRST)
        riders = first[rides]
        self.filament[riders], self.arc[riders] = filament[rides], arc[rides]
        self.position[riders] = place[rides]

    def move(
        self,
        frame: int,
        filaments: Filaments,
        rng: np.random.Generator,
        *,
        diffusion_px: float,
        transport_px: float,
    ) -> None:
        """Diffuse, or ride along a filament, to a frame."""
        here = self.alive(frame)
        here = here[self.birth[here] < frame]
        free = here[self.filament[here] == _FREE]
        self._ride(here[self.filament[here] != _FREE], filaments, rng, transport_px)
        moved = self.position[free] + rng.normal(0, diffusion_px, (len(free), 2))
        self.position[free] = _reflected(moved, self.shape)
        self._land(free[rng.random(len(free)) < _LANDING_RATE], filaments)

    def blink(
        self, frame: int, rng: np.random.Generator, tracks: Tracks, *, blink_rate: float
    ) -> None:
        """Go dark or come back, and note it and who comes and goes for good."""
        here = self.alive(frame)
        old = here[self.birth[here] < frame]
        before, chance = self.visible[old], rng.random(len(old))
        now = np.where(before, chance >= blink_rate, chance < _RETURN_RATE)
        self.visible[old] = now
        changes = {
            Happening.DEATH: np.flatnonzero(self.death == frame),
            Happening.BIRTH: here[self.birth[here] == frame],
            Happening.BLINK: old[before & ~now],
            Happening.RETURN: old[now & ~before],
        }
        for kind, ids in changes.items():
            tracks.happen(frame, kind, ids.tolist())

    def _ride(
        self,
        riders: Integer[ndarray, " k"],
        filaments: Filaments,
        rng: np.random.Generator,
        transport_px: float,
    ) -> None:
        """Go on along the filaments; get off at their ends, and by chance."""
        self.arc[riders] += transport_px * self.speed[riders]
        self.offset[riders] *= _KEPT_OFFSET
        filament, arc = self.filament[riders], self.arc[riders]
        place = filaments.at(filament, arc) + self.offset[riders]
        stays = rng.random(len(riders)) >= _RELEASE_RATE
        stays &= (arc >= 0) & (arc <= filaments.length[filament])
        stays &= self._in_frame(place)
        self.position[riders[stays]] = place[stays]
        self.filament[riders[~stays]] = _FREE

    def _land(self, landing: Integer[ndarray, " k"], filaments: Filaments) -> None:
        """Get on the nearest filament where there is one."""
        if not len(filaments.length) or not len(landing):
            return
        grown = np.arange(filaments.n_nodes) <= filaments.length[:, None]
        nodes = np.where(grown[:, :, None], filaments.nodes, np.inf)
        for i in landing:
            away = np.hypot(*(nodes - self.position[i]).transpose(2, 0, 1))
            filament, node = np.unravel_index(away.argmin(), away.shape)
            if away[filament, node] < _LANDING_PX:
                self.filament[i], self.arc[i] = filament, node
                self.offset[i] = self.position[i] - nodes[filament, node]

    def _in_frame(self, position: Float[ndarray, "k 2"]) -> Bool[ndarray, " k"]:
        inside: ndarray = np.all(
            (position >= 0) & (position <= np.array(self.shape) - 1), axis=1
        )
        return inside


def _reflected(
    position: Float[ndarray, "k 2"], shape: tuple[int, int]
) -> Float[ndarray, "k 2"]:
    """Turn vesicles back at the rim of the frame."""
    last = np.array(shape) - 1
    folded: ndarray = last - np.abs(last - np.mod(np.abs(position), 2 * last))
    return folded
