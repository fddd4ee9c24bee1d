"""Atoms as Gaussian peaks on a dark ground: the clean images of Noise2Atom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

from napari_lowdose.config import Share
from napari_lowdose.specimens.gaussian_sum import add_gaussians
from napari_lowdose.specimens.scene import Happening, Scene, Tracks
from napari_lowdose.specimens.specimen import Movie

# The published generator: a canvas of 256 x 256 pixels, of which the middle is kept.
_CANVAS = 2  # canvas over frame
_CELL_PX = 8
_FEWEST, _MOST = 75, 150  # atoms on _CELLS cells
_CELLS = 1024
_JITTER_PX = 1.0
_BRIGHTEST = 4
_WIDEST = 10  # variance, in square pixels
_BORDER = 16 / 256  # of the canvas, cleared on each side
_NEIGHBOURS = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x])


class GaussianPeaks(Movie):
    """Bright Gaussian peaks, as many atoms on a dark ground are imagined to look."""

    crowding: Annotated[float, Gt(0), Le(6)] = 1.0
    """How many atoms there are, in units of the published 75 to 150 on 1024 places."""

    persistence: Share = 0.0
    """Chance per frame that an atom does not jump; 0: frames have nothing in common."""


def render_gaussian_peaks(settings: GaussianPeaks) -> Scene:
    """Draw images of Gaussian peaks, each on its own or as a movie of jumping atoms.

    On a canvas of twice the frame's edges, cells of 8 x 8 pixels are taken at random:
    75 to 150 of every 1024. Each holds an atom, up to 1 pixel off its middle along y
    and x, of a height of 1, 2, 3 or 4. A sixteenth of the canvas is cleared at each
    rim. All atoms of an image are Gaussians of one variance, from 1 to 10 square
    pixels. The middle of the canvas is the frame; a small one always holds an atom.
    With some persistence, number, heights and variance stay through the movie, and
    atoms that jump go to a free cell beside their own.

    Returns
    -------
    Scene
        Brightness in units of the dimmest atom's height: scaling it to the range of a
        set of images, as the paper does, is left to the training. The amplitude of an
        atom is its height, its radius the standard deviation of its Gaussian. The
        table has the atoms whose centres are in the frame: those that jump out of it
        die, those that jump in are born.

    References
    ----------
    F. Wang, T. R. Henninen, D. Keller and R. Erni, Noise2Atom, Appl. Microsc. 50, 23
    (2020), section on generating images of Gaussian peaks.
    """
    rng = np.random.default_rng(settings.seed)
    tracks, ids = Tracks(), count()
    frames = np.zeros((settings.frames, *settings.shape), np.float32)
    atoms = _Atoms.drawn(settings, rng)
    for number, frame in enumerate(frames):
        if number and settings.persistence:
            atoms.jump(settings, rng)
        elif number:
            tracks.happen(number, Happening.DEATH, atoms.ids[atoms.ids >= 0].tolist())
            atoms = _Atoms.drawn(settings, rng)
        atoms.cross_rim(number, settings, tracks, ids)
        add_gaussians(frame, atoms.position, atoms.height, std_px=atoms.std_px)
        atoms.note(number, tracks)
    return settings.scene("gaussian_peaks", frames, tracks)


def vary_gaussian_peaks(
    settings: GaussianPeaks, rng: np.random.Generator
) -> GaussianPeaks:
    """Draw another set: half of them images of their own, half movies of jumping atoms.

    Parameters
    ----------
    settings
        Frames, size, width, pixel size and frame interval stay.
    rng
        Where the draw comes from.
    """
    drawn = {
        "seed": int(rng.integers(2**32)),
        "crowding": float(np.exp(rng.uniform(np.log(0.5), np.log(3)))),
        "persistence": float(rng.choice([0.0, 1 - 10 ** rng.uniform(-2.5, -0.3)])),
    }
    return settings.replaced({(name,): value for name, value in drawn.items()})


@dataclass
class _Atoms:
    """All atoms of a canvas, one entry of each array per atom.

    Parameters
    ----------
    cell
        Row and column of the cell that each is in.
    position
        In pixels of the frame.
    height
        Of the Gaussian.
    ids
        -1 outside the frame.
    std_px
        Width of all.
    """

    cell: Integer[ndarray, "n 2"]
    position: Float[ndarray, "n 2"]
    height: Float[ndarray, " n"]
    ids: Integer[ndarray, " n"]
    std_px: float

    @classmethod
    def drawn(cls, settings: GaussianPeaks, rng: np.random.Generator) -> _Atoms:
        """Draw all atoms of an image."""
        grid = _grid(settings)
        n_cells = int(np.prod(grid))
        n_drawn = rng.uniform(_FEWEST, _MOST) * settings.crowding * n_cells / _CELLS
        n = min(max(int(n_drawn), 1), n_cells)
        taken = rng.choice(n_cells, n, replace=False)
        cell = np.stack(np.divmod(taken, grid[1]), 1)
        position = _placed(cell, settings, rng)
        height = rng.integers(1, _BRIGHTEST + 1, n).astype(float)
        std_px = float(np.sqrt(rng.integers(1, _WIDEST + 1)))
        kept = _kept(position, settings)
        if not _seen(position[kept], settings).any():
            kept[0] = True
            position[0] = rng.uniform(0, 1, 2) * np.subtract(settings.shape, 1)
            cell[0] = (position[0] + np.array(settings.shape) // 2 + 0.5) // _CELL_PX
        ids = np.full(int(kept.sum()), -1)
        return cls(cell[kept], position[kept], height[kept], ids, std_px)

    def jump(self, settings: GaussianPeaks, rng: np.random.Generator) -> None:
        """Let some atoms go to free cells beside theirs, one after the other."""
        occupied = {(int(y), int(x)) for y, x in self.cell}
        steps = _NEIGHBOURS[rng.integers(len(_NEIGHBOURS), size=len(self.cell))]
        restless = rng.random(len(self.cell)) >= settings.persistence
        for atom in np.flatnonzero(restless):
            old = self.cell[atom]
            new = old + steps[atom]
            place = _placed(new[None], settings, rng)
            there = (int(new[0]), int(new[1]))
            if there not in occupied and _kept(place, settings)[0]:
                occupied.discard((int(old[0]), int(old[1])))
                occupied.add(there)
                self.cell[atom], self.position[atom] = new, place[0]

    def cross_rim(
        self,
        frame: int,
        settings: GaussianPeaks,
        tracks: Tracks,
        ids: Iterator[int],
    ) -> None:
        """Name who is in the frame now, and tell who came and who left."""
        seen = _seen(self.position, settings)
        left, came = ~seen & (self.ids >= 0), seen & (self.ids < 0)
        tracks.happen(frame, Happening.DEATH, self.ids[left].tolist())
        self.ids[left] = -1
        self.ids[came] = [next(ids) for _ in range(int(came.sum()))]
        if frame:
            tracks.happen(frame, Happening.BIRTH, self.ids[came].tolist())

    def note(self, frame: int, tracks: Tracks) -> None:
        """Enter the atoms in the frame into the table."""
        seen = self.ids >= 0
        n = int(seen.sum())
        tracks.note(
            frame,
            ids=self.ids[seen],
            position=self.position[seen],
            radius=np.full(n, self.std_px),
            amplitude=self.height[seen],
            visible=np.ones(n, bool),
        )


def _grid(settings: GaussianPeaks) -> Integer[ndarray, " 2"]:
    """Give the rows and columns of cells on the canvas."""
    return _CANVAS * np.array(settings.shape) // _CELL_PX


def _placed(
    cell: Integer[ndarray, "n 2"], settings: GaussianPeaks, rng: np.random.Generator
) -> Float[ndarray, "n 2"]:
    """Draw places near the middles of cells, in pixels of the frame."""
    middle = _CELL_PX * (cell + 0.5) - 0.5
    jitter = rng.uniform(-_JITTER_PX, _JITTER_PX, cell.shape)
    placed: ndarray = middle + jitter - np.array(settings.shape) // 2
    return placed


def _kept(
    position: Float[ndarray, "n 2"], settings: GaussianPeaks
) -> Bool[ndarray, " n"]:
    """Tell which places are not in the border of the canvas that is cleared."""
    canvas = _CANVAS * np.array(settings.shape)
    on_canvas = position + np.array(settings.shape) // 2
    border = _BORDER * canvas
    off_border = (on_canvas >= border) & (on_canvas < canvas - border)
    kept: ndarray = off_border.all(axis=1)
    return kept


def _seen(
    position: Float[ndarray, "n 2"], settings: GaussianPeaks
) -> Bool[ndarray, " n"]:
    """Tell which places are in the frame."""
    last: ndarray = np.subtract(settings.shape, 1)
    seen: ndarray = np.all((position >= 0) & (position <= last), axis=1)
    return seen
