"""How platinum particles move, grow, shrink, join, come and go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray
from scipy.spatial import KDTree

from napari_lowdose.specimens.catalyst.carbon import Carbon
from napari_lowdose.specimens.catalyst.projection import swelling
from napari_lowdose.specimens.catalyst.ripening import ripened
from napari_lowdose.specimens.catalyst.settings import Catalyst
from napari_lowdose.specimens.scene import Happening, Tracks

_SPREAD = 0.25  # of the logarithm of the radius
_APART = 1.2  # at first, in sums of two radii
_TRIES = 200
_HOP_PX = 4.0
_MOST_MOBILE = 4.0  # times the step of a mean particle
_RETURN_RATE = 0.15
_VANISHING = 0.15  # mean radii
_GROWTH_FRAMES = 6.0
_ONE = 0.1  # radii apart, two spheres have become one

_PARTICLE = np.dtype(
    [
        ("id", np.int64),
        ("position", np.float64, 2),
        ("radius", np.float64),  # of the sphere of its volume
        ("goal", np.float64),  # radius that it grows to; 0: grown
        ("visible", np.bool_),
        ("inside", np.bool_),  # of the frame; others are in no table
        ("partner", np.int64),  # id of what it merges with; -1: none
        ("swell", np.float64),  # drawn radius over radius, while it merges
        ("turn", np.float64),  # angle of its facets
    ]
)


@dataclass
class Particles:
    """All particles now, in a structured array; events go to the tracks."""

    settings: Catalyst
    carbon: Carbon
    tracks: Tracks
    ids: Iterator[int]
    rng: np.random.Generator
    frame: int = 0
    all: ndarray = field(default_factory=lambda: np.zeros(0, _PARTICLE))

    def scatter(self) -> None:
        """Place particles apart from each other, as many as find room."""
        mean, n = self.settings.radius_px, self.settings.n_particles
        for radius in mean * self.rng.lognormal(0, _SPREAD, n):
            if not self.add(radius):
                break

    def add(self, radius: float, *, goal: float = 0.0) -> bool:
        """Place one more particle where it finds room; tell whether it did."""
        position = self._free_place(max(radius, goal))
        if position is None:
            return False
        new = np.zeros(1, _PARTICLE)
        new["id"], new["position"] = next(self.ids), position
        new["radius"], new["goal"], new["visible"] = radius, goal, True
        new["inside"], new["partner"], new["swell"] = True, -1, 1.0
        new["turn"] = self.rng.uniform(0, np.pi)
        self.all = np.concatenate([self.all, new])
        return True

    @property
    def drawn_radius(self) -> Float[ndarray, " n"]:
        """Radii as they are seen: merging spheres swell as they overlap."""
        drawn: ndarray = self.all["radius"] * self.all["swell"]
        return drawn

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Give the places of each merging pair, the larger one first."""
        place = {int(name): at for at, name in enumerate(self.all["id"])}
        for at in np.flatnonzero(self.all["partner"] >= 0):
            other = place[int(self.all["partner"][at])]
            size, size_other = self.all["radius"][at], self.all["radius"][other]
            if (size, other) > (size_other, int(at)):
                yield int(at), other

    def advance(self) -> None:
        """Go on by one frame."""
        self.frame += 1
        if len(self.all):
            self._grow()
            self._ripen()
            self._move()
            self._drift()
            self._meet()
            self._coalesce()
            self._cross_rim()
            self._blink()
        for _ in range(self.rng.poisson(self.settings.birth_rate)):
            self._nucleate()

    def absorb(self, place: int, volume: float) -> None:
        """Let a particle take up some metal, in cubic pixels."""
        cube = self.all["radius"][place] ** 3 + volume * 3 / (4 * np.pi)
        self.all["radius"][place] = np.cbrt(cube)

    def tell_end(self, name: int, place: int) -> None:
        """Tell that somebody ends in the particle at a place, seen or out of sight."""
        one = self.all[place]
        if one["inside"] and self.carbon.sees(one["position"]):
            into = int(one["id"])
            self.tracks.happen(self.frame, Happening.MERGE, [name], other=into)
        else:
            self.tracks.happen(self.frame, Happening.DEATH, [name])

    def _free_place(self, radius: float) -> Float[ndarray, " 2"] | None:
        last = np.subtract(self.settings.shape, 1)
        away = _APART * (self.drawn_radius + radius)
        for _ in range(_TRIES):
            position = self.rng.uniform(0, 1, 2) * last
            distance = np.hypot(*(self.all["position"] - position).T)
            on_film = self.carbon.carries(position[None], self.frame)[0]
            if on_film and np.all(distance > away):
                return position
        return None

    def _nucleate(self) -> None:
        goal = self.settings.radius_px * self.rng.lognormal(0, _SPREAD)
        if self.add(_VANISHING * self.settings.radius_px, goal=goal):
            newest = int(self.all["id"][-1])
            self.tracks.happen(self.frame, Happening.BIRTH, [newest])

    def _grow(self) -> None:
        radius, goal = self.all["radius"], self.all["goal"]
        grown = radius + (goal - radius) * (1 - np.exp(-1 / _GROWTH_FRAMES))
        radius[:] = np.where(goal > 0, grown, radius)
        goal[radius > 0.95 * goal] = 0

    def _ripen(self) -> None:
        """Let grown particles exchange metal."""
        ripe = self.all["goal"] == 0
        if not self.settings.ripening_rate or not ripe.any():
            return
        self.all["radius"][ripe], kept = ripened(
            self.all["radius"][ripe],
            self.all["partner"][ripe] >= 0,
            rate=self.settings.ripening_rate,
            mean=self.settings.radius_px,
            least=_VANISHING * self.settings.radius_px,
        )
        gone = np.zeros(len(self.all), bool)
        gone[ripe] = ~kept
        self._happen(Happening.DEATH, gone)
        self.all = self.all[~gone]

    def _move(self) -> None:
        """Step at random, but not into a neighbour or a hole or across the rim.

        Hidden particles are in nobody's way.
        """
        n, old = len(self.all), self.all["position"].copy()
        step = self.rng.normal(0, 1, (n, 2)) * self._step_std()[:, None]
        hops = self.rng.random(n) < self.settings.hop_rate
        step[hops] += self.rng.normal(0, _HOP_PX, (int(hops.sum()), 2))
        pairs = np.array([*self.pairs()], int).reshape(-1, 2)
        step[pairs[:, 1]] = step[pairs[:, 0]]
        moving = self.carbon.sees(old) == self.carbon.sees(old + step)
        moving &= self.carbon.carries(old + step, self.frame)
        while moving.any():
            moving[pairs] &= moving[pairs].all(axis=1, keepdims=True)
            self.all["position"] = np.where(moving[:, None], old + step, old)
            stopped = moving.copy()
            stopped[self._touching().ravel()] = False
            if np.array_equal(stopped, moving):
                break
            moving = stopped
        else:
            self.all["position"] = old

    def _step_std(self) -> Float[ndarray, " n"]:
        """Small particles are the more mobile ones."""
        mobility = self.settings.radius_px / self.all["radius"]
        std: ndarray = self.settings.motion_px * np.minimum(mobility, _MOST_MOBILE)
        return std

    def _touching(
        self, room: float | Float[ndarray, " n"] = 0.0
    ) -> Integer[ndarray, "pairs 2"]:
        """Find who is closer than the sum of radii and rooms, but for partners."""
        size = self.drawn_radius + room
        seen = np.flatnonzero(self.all["visible"])
        if len(seen) < 2:
            return np.zeros((0, 2), int)
        position = self.all["position"][seen]
        near = KDTree(position).query_pairs(2 * size[seen].max(), output_type="ndarray")
        near = seen[near]
        gap = self.all["position"][near[:, 0]] - self.all["position"][near[:, 1]]
        touch = np.hypot(*gap.T) < size[near].sum(axis=1)
        partners = self.all["partner"][near[:, 0]] == self.all["id"][near[:, 1]]
        found: ndarray = near[touch & ~partners]
        return found

    def _drift(self) -> None:
        """Drift with the film, which has no end."""
        free = self.all["partner"] < 0
        drifted = self.carbon.drifted(self.all["position"], around=free)
        self.all["position"] = drifted

    def _cross_rim(self) -> None:
        """Lose sight of who leaves the frame; who enters is another one."""
        inside = self.carbon.sees(self.all["position"])
        self._happen(Happening.DEATH, ~inside)
        entering = inside & ~self.all["inside"]
        self.all["inside"] = inside
        for place in np.flatnonzero(entering):
            new, old = next(self.ids), self.all["id"][place]
            self.all["partner"][self.all["partner"] == old] = new
            self.all["id"][place] = new
        self._happen(Happening.BIRTH, entering)

    def _meet(self) -> None:
        """Make partners of free particles that touch, or will within a step."""
        for one, other in self._touching(room=0.5 * self._step_std()):
            if self.all["partner"][one] < 0 and self.all["partner"][other] < 0:
                self.all["partner"][one] = self.all["id"][other]
                self.all["partner"][other] = self.all["id"][one]

    def _coalesce(self) -> None:
        """Pull partners together; merge them when one is inside the other."""
        gone = np.zeros(len(self.all), bool)
        for one, other in self.pairs():
            self._approach(one, other)
            gone[other] = self._united(one, other)
        self.all = self.all[~gone]

    def _approach(self, one: int, other: int) -> None:
        position, radius = self.all["position"], self.all["radius"]
        share = radius[other] ** 3 / (radius[[one, other]] ** 3).sum()
        pull = 1 - np.exp(-1 / self.settings.merge_frames)
        gap = position[other] - position[one]
        position[one] += share * pull * gap
        position[other] -= (1 - share) * pull * gap
        distance = float(np.hypot(*gap)) * (1 - pull)
        grown = swelling(float(radius[one]), float(radius[other]), distance)
        self.all["swell"][[one, other]] = grown

    def _united(self, one: int, other: int) -> bool:
        """Join two when they look like one: the larger one goes on."""
        position = self.all["position"]
        large, small = self.drawn_radius[[one, other]]
        gap = position[other] - position[one]
        distance = float(np.hypot(*gap))
        if distance > max(large - small, _ONE * large):
            return False
        # The middle of their common outline.
        beyond = max(distance + small - large, 0) / 2
        position[one] += gap * (beyond / max(distance, 1e-12))
        self.absorb(one, 4 / 3 * np.pi * self.all["radius"][other] ** 3)
        self.all["partner"][one], self.all["swell"][one] = -1, 1.0
        self.all["goal"][one] = 0
        if self.all["inside"][other]:
            self.tell_end(int(self.all["id"][other]), one)
        return True

    def _blink(self) -> None:
        """Go dark, or come back where there is room; who merges does neither."""
        chance, visible = self.rng.random(len(self.all)), self.all["visible"]
        dark = visible & (chance < self.settings.blink_rate) & (self.all["partner"] < 0)
        back = ~visible & (chance < _RETURN_RATE)
        self.all["visible"] = (visible & ~dark) | back
        back &= self._roomy(back)
        self.all["visible"] = (visible & ~dark) | back
        self._happen(Happening.BLINK, dark)
        self._happen(Happening.RETURN, back)

    def _happen(self, kind: Happening, who: Bool[ndarray, " n"]) -> None:
        """Note what those of some particles go through that are in the frame."""
        names = self.all["id"][who & self.all["inside"]].tolist()
        self.tracks.happen(self.frame, kind, names)

    def _roomy(self, back: Bool[ndarray, " n"]) -> Bool[ndarray, " n"]:
        """Tell who touches nobody."""
        roomy = np.ones(len(self.all), bool)
        if back.any():
            roomy[self._touching().ravel()] = False
        return roomy
