"""Cells seen in fluorescence: soft blobs with a nucleus that crawl and deform."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Complex, Float, Integer
from numpy import ndarray

_MODES = np.arange(2, 6)  # bulges around the rim
_BULGE_STD = 0.12  # of the radius, for the first mode
_TURN_STD = 0.1  # radians per frame by which a cell's way turns
_NUCLEUS = 0.38  # its radius, in radii of the cell
_SOFT = 0.1  # width of the rim, in radii
_LEAST_SOFT_PX = 1.5
_ANGLES = 256
_WAVES = np.exp(2j * np.pi * _MODES[:, None] * np.arange(_ANGLES) / _ANGLES)
_TILE_PX = 256
_GRAIN_STD_PX = (1.5, 6.0)
_GRAIN = 0.15
_REACH = 1.7  # radii beyond which a cell is dark


@dataclass
class Cells:
    """Some cells; one entry of each array per cell.

    Parameters
    ----------
    shape
        Rows and columns of the frame they keep to.
    position
        Centres (y, x), in pixels.
    heading
        Direction in which a cell crawls, in radians.
    radius
        Mean radius, in pixels.
    bulges
        Two waves of each mode that run around the rim: amplitude and phase as complex
        numbers, in radii.
    pace
        How far the waves run while a cell crawls by one radius, in radians.
    nucleus
        Its centre (y, x) from the cell's, in pixels.
    grain
        Corner (y, x) of the cell's cytoplasm in the tile, in pixels.
    tile
        Structure of the cytoplasm, of mean 1, periodic.
    """

    shape: tuple[int, int]
    position: Float[ndarray, "n 2"]
    heading: Float[ndarray, " n"]
    radius: Float[ndarray, " n"]
    bulges: Complex[ndarray, "n modes 2"]
    pace: Float[ndarray, "n modes 2"]
    nucleus: Float[ndarray, "n 2"]
    grain: Float[ndarray, "n 2"]
    tile: Float[ndarray, "y x"]

    @classmethod
    def scattered(
        cls, n: int, shape: tuple[int, int], rng: np.random.Generator, *, radius: float
    ) -> Cells:
        """Scatter cells over a frame, apart from each other where there is room."""
        radii = radius * rng.lognormal(0, 0.15, n)
        return cls(
            shape,
            _apart(radii, shape, rng),
            rng.uniform(0, 2 * np.pi, n),
            radii,
            _bulges(n, rng),
            rng.normal(0, 1 / _BULGE_STD, (n, len(_MODES), 2)),
            radii[:, None] * rng.normal(0, 0.12, (n, 2)),
            rng.uniform(0, _TILE_PX, (n, 2)),
            _cytoplasm(rng) if n else np.ones((1, 1), np.float32),
        )

    def advance(
        self, rng: np.random.Generator, *, crawl_px: float
    ) -> Float[ndarray, "n 2"]:
        """Crawl and deform by one frame; tell how far each went, in pixels."""
        away = np.array(self.shape) / 2 - self.position
        outside = np.any(np.abs(away) > np.array(self.shape) / 2, axis=1)
        turned = self.heading + rng.normal(0, _TURN_STD, len(self.heading))
        self.heading = np.where(outside, np.arctan2(*away.T), turned)
        step: ndarray = crawl_px * np.stack(
            [np.sin(self.heading), np.cos(self.heading)], axis=1
        )
        self.position = self.position + step
        turn = crawl_px / self.radius[:, None, None] * self.pace
        self.bulges = self.bulges * np.exp(1j * turn)
        return step

    def rim_of_nucleus(
        self, cell: Integer[ndarray, " k"], angle: Float[ndarray, " k"]
    ) -> Float[ndarray, "k 2"]:
        """Find the points (y, x) at the rims of some nuclei in some directions."""
        way = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        middle = self.position[cell] + self.nucleus[cell]
        rim: ndarray = middle + _NUCLEUS * self.radius[cell, None] * way
        return rim

    def draw(self, image: Float[ndarray, "y x"], *, nucleus_brightness: float) -> None:
        """Add the cells to an image, in place; each is about 1 bright."""
        for i in range(len(self.radius)):
            self._draw_one(i, image, nucleus_brightness)

    def _draw_one(
        self, i: int, image: Float[ndarray, "y x"], nucleus_brightness: float
    ) -> None:
        radius = float(self.radius[i])
        reach = int(np.ceil(_REACH * radius))
        corner = np.maximum(np.floor(self.position[i]).astype(int) - reach, 0)
        end = np.maximum(np.floor(self.position[i]).astype(int) + reach + 2, 0)
        window = image[corner[0] : end[0], corner[1] : end[1]]
        if not window.size:
            return
        y, x = (
            (np.arange(length) - middle).astype(np.float32)
            for length, middle in zip(
                window.shape, self.position[i] - corner, strict=True
            )
        )
        distance, angle = cv2.cartToPolar(
            np.tile(x, (len(y), 1)), np.tile(y[:, None], (1, len(x)))
        )
        rim = self._rim(i)[(angle * (_ANGLES / (2 * np.pi))).astype(np.int16) % _ANGLES]
        soft = max(_SOFT * radius, _LEAST_SOFT_PX)
        body = _inside(rim - distance, soft)
        # Cells are flat at the rim and thick in the middle.
        body *= 1.2 - 0.6 * np.minimum(distance / rim, 1) ** 2
        y, x = y - np.float32(self.nucleus[i, 0]), x - np.float32(self.nucleus[i, 1])
        beside = np.sqrt(np.square(y)[:, None] * 1.4 + np.square(x) * 0.8)
        core = _inside(_NUCLEUS * radius - beside, 0.7 * soft)
        cytoplasm = self._cytoplasm(i, window.shape, corner)
        window += body * (cytoplasm + core * (nucleus_brightness - cytoplasm))

    def _rim(self, i: int) -> Float[ndarray, " angle"]:
        """Tabulate the radius over the angle."""
        bulge = self.bulges[i].sum(axis=1) @ _WAVES
        rim: ndarray = self.radius[i] * np.clip(1 + bulge.real, 0.4, 1.5)
        return rim.astype(np.float32)

    def _cytoplasm(
        self, i: int, shape: tuple[int, ...], corner: ndarray
    ) -> Float[ndarray, "y x"]:
        """Cut the structure that moves with a cell out of the tile."""
        top, left = (corner - self.position[i] + self.grain[i]) % _TILE_PX
        move = np.array([[1, 0, left], [0, 1, top]])
        cut: ndarray = cv2.warpAffine(
            self.tile,
            move,
            shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_WRAP,
        )
        return cut


def _bulges(n: int, rng: np.random.Generator) -> Complex[ndarray, "n modes 2"]:
    """Draw the rim's waves; the fewer bulges, the higher they are."""
    parts = rng.standard_normal((2, n, len(_MODES), 2))
    std = _BULGE_STD / np.sqrt(2) * _MODES[0] / _MODES
    bulges: ndarray = (parts[0] + 1j * parts[1]) * std[:, None]
    return bulges


def _inside(depth: Float[ndarray, "y x"], soft: float) -> Float[ndarray, "y x"]:
    """Rise smoothly from 0 outside to 1 inside, over a rim of a width."""
    share = np.clip(depth / np.float32(2 * soft) + np.float32(0.5), 0, 1)
    smooth: ndarray = share * share * (3 - 2 * share)
    return smooth


def _apart(
    radius: Float[ndarray, " n"], shape: tuple[int, int], rng: np.random.Generator
) -> Float[ndarray, "n 2"]:
    position = rng.uniform(0, 1, (len(radius), 2)) * shape
    for i in range(1, len(radius)):
        for _ in range(30):
            gap = np.hypot(*(position[:i] - position[i]).T)
            if np.all(gap > radius[:i] + radius[i]):
                break
            position[i] = rng.uniform(0, 1, 2) * shape
    return position


def _cytoplasm(rng: np.random.Generator) -> Float[ndarray, "y x"]:
    """Draw a periodic random structure, coarse and fine."""
    tile = np.ones((_TILE_PX, _TILE_PX), np.float32)
    frequency = np.hypot(
        np.fft.fftfreq(_TILE_PX)[:, None], np.fft.rfftfreq(_TILE_PX)[None]
    )
    for std in _GRAIN_STD_PX:
        noise = np.fft.rfft2(rng.standard_normal(tile.shape))
        smooth = np.fft.irfft2(noise * np.exp(-2 * (np.pi * std * frequency) ** 2))
        tile += (_GRAIN * smooth / smooth.std()).astype(np.float32)
    return np.maximum(tile, 0.2)
