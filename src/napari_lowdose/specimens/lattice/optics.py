"""How atoms and what they lie on become brightness."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from napari_lowdose.specimens.gaussian_sum import add_gaussians
from napari_lowdose.specimens.lattice.crystals import Columns
from napari_lowdose.specimens.lattice.occupancy import Occupancy
from napari_lowdose.specimens.lattice.settings import DRIFT_SHARE, Imaging, Lattice

# SBD's movies, in electrons per pixel: the vacuum, white columns, dark ones.
_VACUUM, _WHITE, _DARK = 0.45, 0.63, 0.34
# Brightness of an atom: Rutherford scattering to high angles (Nellist and Pennycook),
# and about the projected potential for phase contrast.
_DARK_EXPONENT, _BRIGHT_EXPONENT = 1.7, 0.7
# abTEM, WS2 at 60 kV, 60-140 mrad, 0.3 A source: W 0.0415, S2 0.014, background 0.0016
# of the beam, so that W is 3.2 times S2, not 6.8 times; Mo 0.55 of W, not 0.38.
_SULPHUR_IN_WS2 = 0.5 * (0.014 - 0.0016) / (0.0415 - 0.0016)
_MOLYBDENUM_IN_WS2 = 0.55
# Phase contrast surrounds each column with its opposite: a wider Gaussian.
_HALO_WIDTH, _HALO_SHARE = 2.5, 0.3
_TEXTURE_NM, _LEAST_SUPPORT = 0.2, 0.1


@dataclass(frozen=True)
class Support:
    """Brightness between the columns, on a canvas as large as the drift needs.

    Parameters
    ----------
    canvas
        Brightness of the whole support.
    shape
        Rows and columns of a frame.
    """

    canvas: Float[ndarray, "y x"]
    shape: tuple[int, int]

    @classmethod
    def of(cls, settings: Lattice, rng: np.random.Generator) -> Support:
        """Draw it."""
        dark = settings.imaging is Imaging.DARK_FIELD
        brightness = settings.support_brightness if dark else _VACUUM
        rim = 2 * (int(DRIFT_SHARE * min(settings.shape)) + 2)
        canvas = np.ones(np.add(settings.shape, rim), np.float32)
        if settings.support_texture:
            std_px = np.clip(
                _TEXTURE_NM * settings.px_per_nm, 1, max(settings.shape) / 8
            )
            rough: ndarray = rng.standard_normal(canvas.shape, np.float32)
            rough = cv2.GaussianBlur(rough, (0, 0), float(std_px))
            canvas += rough * np.float32(settings.support_texture / rough.std())
        np.maximum(canvas, _LEAST_SUPPORT, out=canvas)
        return cls(canvas * np.float32(brightness), settings.shape)

    def at(self, drift_px: Float[ndarray, " 2"]) -> Float[ndarray, "y x"]:
        """Cut the frame out, moved with the crystal."""
        rows, columns = self.shape
        middle = (np.array(self.canvas.shape) - 1) / 2 - drift_px
        cut: ndarray = cv2.getRectSubPix(self.canvas, (columns, rows), middle[::-1])
        return cut


@dataclass(frozen=True)
class Optics:
    """How atoms become brightness.

    Parameters
    ----------
    parts
        Standard deviations, in pixels, and weights of the Gaussians of a column.
    unit
        Brightness that a column of height 1 has.
    host, dopant
        Height of one atom of a column, and of what may replace it.
    spread
        Where the atoms of a tilted column lie, as (k, n, 2) in pixels.
    radius_px
        Standard deviation of each column, averaged over the directions.
    own
        What a column of height 1 adds at its own middle.
    """

    parts: tuple[tuple[float, float], ...]
    unit: float
    host: Float[ndarray, " n"]
    dopant: Float[ndarray, " n"]
    spread: Float[ndarray, "k n 2"]
    radius_px: Float[ndarray, " n"]
    own: Float[ndarray, " n"]

    @classmethod
    def of(
        cls, settings: Lattice, columns: Columns, rng: np.random.Generator
    ) -> Optics:
        """Work out what stays the same in all frames."""
        dark = settings.imaging is Imaging.DARK_FIELD
        std = settings.column_std_px
        parts: tuple[tuple[float, float], ...] = ((std, 1.0),)
        unit = 1.0
        if not dark:
            # Opposite rings around each column are what phase contrast looks like.
            parts = (*parts, (_HALO_WIDTH * std, -_HALO_SHARE))
            white = settings.imaging is Imaging.BRIGHT_FIELD_WHITE
            extreme = _WHITE if white else _DARK
            unit = settings.contrast * (extreme - _VACUUM) / (1 - _HALO_SHARE)
        host, dopant = (
            _heights(elements, dark) for elements in (columns.element, columns.dopant)
        )
        heaviest = (host * columns.n_atoms).max(initial=1e-9)
        spread, length = _spread(settings, columns, rng)
        away = (spread**2).sum(axis=2)
        own = sum(w * np.exp(-away / (2 * s**2)).mean(axis=0) for s, w in parts)
        return cls(
            parts=parts,
            unit=unit,
            host=host / heaviest,
            dopant=dopant / heaviest,
            spread=spread,
            radius_px=np.sqrt(std**2 + length**2 / 24),
            own=np.asarray(own),
        )

    def draw(
        self,
        frame: Float[ndarray, "y x"],
        position: Float[ndarray, "n 2"],
        atoms: Occupancy,
        support: Float[ndarray, "y x"],
    ) -> Float[ndarray, " n"]:
        """Fill a frame, and give the amplitudes of the columns."""
        frame[:] = support
        hosts = atoms.present - atoms.dopants
        height = self.unit * (hosts * self.host + atoms.dopants * self.dopant)
        perfect = self.unit * atoms.columns.n_atoms * self.host
        visible = atoms.visible
        places = (position[visible] + self.spread[:, visible]).reshape(-1, 2)
        heights = np.tile(height[visible], len(self.spread)) / len(self.spread)
        for std, weight in self.parts:
            add_gaussians(frame, places, heights * weight, std_px=std)
        # Many wide dark columns on each other would fall below black.
        np.maximum(frame, 0, out=frame)
        amplitude: ndarray = np.where(visible, height, perfect) * self.own
        return amplitude


def _heights(elements: Integer[ndarray, " n"], dark: bool) -> Float[ndarray, " n"]:
    """Give the brightness of one atom of some elements; any unit."""
    if not dark:
        return elements.astype(float) ** _BRIGHT_EXPONENT
    heights = elements.astype(float) ** _DARK_EXPONENT
    heights[elements == 16] = _SULPHUR_IN_WS2 * 74**_DARK_EXPONENT
    heights[elements == 42] = _MOLYBDENUM_IN_WS2 * 74**_DARK_EXPONENT
    return heights


def _spread(
    settings: Lattice, columns: Columns, rng: np.random.Generator
) -> tuple[Float[ndarray, "k n 2"], Float[ndarray, " n"]]:
    """Draw columns out along the tilt: places of parts of each, and their length."""
    slope = np.tan(np.deg2rad(settings.tilt_deg)) * settings.px_per_nm
    length = (columns.n_atoms - 1) * columns.repeat_nm * slope
    # Gaussians one standard deviation apart add up to an even line.
    n = 1 + int(np.ceil(length.max(initial=0) / settings.column_std_px))
    shares = (np.arange(n) + 0.5) / n - 0.5
    way = rng.uniform(0, 2 * np.pi)
    along = np.array([np.sin(way), np.cos(way)])
    return shares[:, None, None] * length[:, None] * along, length
