"""Filaments of a cell's skeleton: stiff chains that sway, grow and shrink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

_MODES = np.arange(1, 5)
_SWAY_FRAMES = 16.0  # in which the slowest bend is forgotten
_PERSISTENCE = 3.0  # in lengths of a filament
_SHORTEST = 0.35  # of its longest, from where a filament grows again
_SHRINKING = 2.0  # how much faster a filament shrinks than it grows
_CATASTROPHE_RATE = 0.03  # per frame
_RESCUE_RATE = 0.06
_SPECKLES = 6.0  # mean number of labels per pixel of length
_PIXEL_VARIANCE = 1 / 6  # what sharing a point among four pixels blurs, on average


@dataclass
class Filaments:
    """Some filaments as chains of nodes one pixel apart.

    A filament is fixed at its first node. Bends are worm-like chains (Gaussian
    curvature) plus swaying modes of a rod that is clamped at one end.

    Parameters
    ----------
    base
        First nodes (y, x), in pixels.
    tangent
        Direction at each node without swaying, in radians.
    sway
        Amplitudes of the swaying modes, in standard deviations.
    length
        How far each filament has grown, in pixels.
    growing
        1 where it grows, -1 where it shrinks.
    label
        Brightness of each node, of mean 1.
    sway_px
        Standard deviation of the free ends, in pixels.
    nodes
        Where the nodes (y, x) are now, in pixels; also those not yet grown.
    """

    base: Float[ndarray, "n 2"]
    tangent: Float[ndarray, "n node"]
    sway: Float[ndarray, "n modes"]
    length: Float[ndarray, " n"]
    growing: Float[ndarray, " n"]
    label: Float[ndarray, "n node"]
    sway_px: float
    nodes: Float[ndarray, "n node 2"]

    @classmethod
    def grown(
        cls,
        base: Float[ndarray, "n 2"],
        heading: Float[ndarray, " n"],
        rng: np.random.Generator,
        *,
        length_px: float,
        sway_px: float,
    ) -> Filaments:
        """Let filaments grow from their bases in some direction."""
        n = len(base)
        longest = length_px * rng.uniform(0.6, 1.4, n)
        n_nodes = max(int(np.ceil(longest.max(initial=0))), 2)
        bend = rng.normal(0, 1, (n, n_nodes)) / np.sqrt(_PERSISTENCE * length_px)
        filaments = cls(
            base,
            heading[:, None] + np.cumsum(bend, axis=1),
            rng.standard_normal((n, len(_MODES))),
            longest * rng.uniform(_SHORTEST, 1, n),
            rng.choice([-1.0, 1.0], n),
            rng.poisson(_SPECKLES, (n, n_nodes)) / _SPECKLES,
            sway_px,
            np.empty((n, n_nodes, 2)),
        )
        filaments._bend()
        return filaments

    @property
    def n_nodes(self) -> int:
        """Nodes of a filament that has grown to the end."""
        return int(self.tangent.shape[1])

    def advance(
        self,
        rng: np.random.Generator,
        *,
        growth_px: float,
        carried: Float[ndarray, "n 2"],
    ) -> None:
        """Sway, grow and shrink by one frame, and be carried along (y, x)."""
        self.base = self.base + carried
        kept = np.exp(-(2 * _MODES - 1) / _SWAY_FRAMES)
        fresh = rng.standard_normal(self.sway.shape)
        self.sway = kept * self.sway + np.sqrt(1 - kept**2) * fresh
        chance = rng.random(len(self.length))
        turns = chance < np.where(self.growing > 0, _CATASTROPHE_RATE, _RESCUE_RATE)
        self.growing = np.where(turns, -self.growing, self.growing)
        self.growing[self.length >= self.n_nodes - 1] = -1
        self.growing[self.length <= _SHORTEST * self.n_nodes] = 1
        speed = np.where(self.growing > 0, growth_px, -_SHRINKING * growth_px)
        self.length = np.clip(self.length + speed, 1, self.n_nodes - 1)
        self._bend()

    def draw(self, image: Float[ndarray, "y x"], *, psf_std_px: float) -> None:
        """Add the filaments to an image, in place; a straight one is 1 bright."""
        if not len(self.base):
            return
        # A point of weight 1 per pixel makes a line 1 / (sqrt(2 pi) std) bright.
        grown = np.clip(self.length[:, None] - np.arange(self.n_nodes), 0, 1)
        weight = self.label * grown * np.sqrt(2 * np.pi) * psf_std_px
        rim = int(np.ceil(4 * psf_std_px))
        points = _splat(
            self.nodes.reshape(-1, 2) + rim,
            weight.ravel(),
            (image.shape[0] + 2 * rim, image.shape[1] + 2 * rim),
        )
        std = np.sqrt(max(psf_std_px**2 - _PIXEL_VARIANCE, 0.05))
        lines = cv2.GaussianBlur(points, (0, 0), std)
        image += lines[rim:-rim, rim:-rim]

    def at(
        self, filament: Integer[ndarray, " k"], arc: Float[ndarray, " k"]
    ) -> Float[ndarray, "k 2"]:
        """Find the points (y, x) at some lengths along some filaments."""
        arc = np.clip(arc, 0, self.n_nodes - 1.001)
        node, part = arc.astype(int), (arc % 1)[:, None]
        point: ndarray = (1 - part) * self.nodes[filament, node]
        point += part * self.nodes[filament, node + 1]
        return point

    def _bend(self) -> None:
        """Lay the nodes where chain and sway put them."""
        along = np.arange(self.n_nodes) / self.n_nodes
        bends = np.sin(np.pi * (_MODES[:, None] - 0.5) * along)
        # A first mode of amplitude 1 moves the end by 2 / pi of the length.
        size = np.pi / 2 * self.sway_px / self.n_nodes
        angle = self.tangent + size * (self.sway / (2 * _MODES - 1) ** 2) @ bends
        steps = np.stack([np.sin(angle), np.cos(angle)], axis=2)
        self.nodes = self.base[:, None] + np.cumsum(steps, axis=1)


def _splat(
    position: Float[ndarray, "k 2"],
    weight: Float[ndarray, " k"],
    shape: tuple[int, int],
) -> Float[ndarray, "y x"]:
    """Share points among the four pixels around each; those outside are left out."""
    inside = np.all((position >= 0) & (position < np.array(shape) - 1), axis=1)
    position, weight = position[inside], weight[inside]
    corner = position.astype(int)
    y, x = (position - corner).T
    first = corner[:, 0] * shape[1] + corner[:, 1]
    pixels = np.concatenate([first, first + 1, first + shape[1], first + shape[1] + 1])
    shares = np.concatenate([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x])
    image = np.bincount(pixels, shares * np.tile(weight, 4), shape[0] * shape[1])
    return image.reshape(shape).astype(np.float32)
