"""Crystals as columns of atoms along the beam: cells, spacings, tilings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

_ROOT2, _ROOT3 = np.sqrt(2), np.sqrt(3)


class Crystal(StrEnum):
    """What the lattice is of, and the direction it is seen along."""

    WS2 = "ws2"  # one layer, from above
    PT_110 = "pt_110"
    PT_100 = "pt_100"
    CEO2_110 = "ceo2_110"
    PT_ON_CEO2 = "pt_on_ceo2"  # a Pt particle on a CeO2 surface, against vacuum


@dataclass(frozen=True)
class Site:
    """One column of a cell.

    Parameters
    ----------
    first, second
        Where it is, in shares of the cell's two vectors.
    element
        Atomic number.
    n_atoms
        Atoms in the column; 0: as many as the thickness holds.
    fragile
        How often it misses atoms, relative to the crystal's weakest columns.
    """

    first: float
    second: float
    element: int
    n_atoms: int = 0
    fragile: float = 1.0


@dataclass(frozen=True)
class Cell:
    """What repeats in the image of a crystal.

    Parameters
    ----------
    vectors
        The two edges as (y, x), in nanometres.
    sites
        The columns in the cell.
    repeat_nm
        From one atom of a column to the next, along the beam.
    host, dopant
        Atomic numbers of the element that may be replaced, and of what replaces it.
    """

    vectors: tuple[tuple[float, float], tuple[float, float]]
    sites: tuple[Site, ...]
    repeat_nm: float
    host: int
    dopant: int

    @property
    def reciprocal(self) -> Float[ndarray, "2 2"]:
        """The two reciprocal vectors as (y, x), in waves per nanometre."""
        rows: ndarray = np.linalg.inv(np.array(self.vectors)).T
        return rows

    @property
    def area_nm2(self) -> float:
        """Area of the cell in the image."""
        return float(abs(np.linalg.det(np.array(self.vectors))))

    def spacing_nm(self, h: int, k: int) -> float:
        """Give the distance of the lattice lines with the indices h and k."""
        return float(1 / np.linalg.norm(np.array([h, k]) @ self.reciprocal))


def _zone_110(a: float, sites: tuple[Site, ...], host: int, dopant: int) -> Cell:
    """Give the cell of a cubic crystal along [110]: rows [001], columns [1-10]."""
    return Cell(((a, 0.0), (0.0, a / _ROOT2)), sites, a / _ROOT2, host, dopant)


# Lattice constants in nanometres: WS2 0.318, Pt 0.3924, CeO2 0.5411. The beam takes
# sulphur and oxygen much sooner than the metals.
_WS2, _PT, _CEO2 = 0.318, 0.3924, 0.5411
_RARE = 0.2

CELLS: Mapping[Crystal, Cell] = {
    Crystal.WS2: Cell(
        ((0.0, _WS2), (_WS2 * _ROOT3 / 2, -_WS2 / 2)),
        (Site(0, 0, 74, 1, _RARE), Site(1 / 3, 2 / 3, 16, 2)),
        repeat_nm=0.314,
        host=74,
        dopant=42,
    ),
    Crystal.PT_110: _zone_110(_PT, (Site(0, 0, 78), Site(0.5, 0.5, 78)), 78, 28),
    Crystal.PT_100: Cell(
        ((_PT / 2, 0.0), (0.0, _PT / 2)), (Site(0, 0, 78),), _PT, 78, 28
    ),
    Crystal.CEO2_110: _zone_110(
        _CEO2,
        (
            Site(0, 0, 58, fragile=_RARE),
            Site(0.5, 0.5, 58, fragile=_RARE),
            Site(0.25, 0, 8),
            Site(0.75, 0, 8),
            Site(0.25, 0.5, 8),
            Site(0.75, 0.5, 8),
        ),
        host=58,
        dopant=40,
    ),
}


@dataclass(frozen=True)
class Columns:
    """Columns of atoms; one entry of each array per column.

    Parameters
    ----------
    position_nm
        (y, x) from the middle of the specimen.
    element
        Atomic numbers.
    n_atoms
        Atoms of the perfect column.
    repeat_nm
        From one atom to the next, along the beam.
    dopant
        Atomic number of what may replace its atoms; 0: nothing does.
    fragile
        How often it misses atoms, relative to the crystal's weakest columns.
    on_particle
        Whether it belongs to a particle, which may turn on its own.
    surface
        Whether it is at the particle's surface, where atoms come and go.
    outside
        Whether it lies just outside the surface: a place where an atom may sit.
    """

    position_nm: Float[ndarray, "n 2"]
    element: Integer[ndarray, " n"]
    n_atoms: Integer[ndarray, " n"]
    repeat_nm: Float[ndarray, " n"]
    dopant: Integer[ndarray, " n"]
    fragile: Float[ndarray, " n"]
    on_particle: Bool[ndarray, " n"]
    surface: Bool[ndarray, " n"]
    outside: Bool[ndarray, " n"]

    def __len__(self) -> int:
        return len(self.element)

    def joined(self, other: Columns) -> Columns:
        """Put the columns of another crystal behind these."""
        return Columns(
            *(
                np.concatenate([mine, getattr(other, name)])
                for name, mine in vars(self).items()
            )
        )

    def kept(self, keep: Bool[ndarray, " n"]) -> Columns:
        """Keep some of the columns."""
        return Columns(*(values[keep] for values in vars(self).values()))


def tiling(
    cell: Cell,
    *,
    radius_nm: float,
    thickness_nm: float,
    origin_nm: Float[ndarray, " 2"] | None = None,
    turned: Float[ndarray, "2 2"] | None = None,
) -> Columns:
    """Fill a disc around the middle of the specimen with a crystal.

    Parameters
    ----------
    cell
        What to repeat.
    radius_nm
        Radius of the disc.
    thickness_nm
        Length of the columns, where the cell leaves it open.
    origin_nm
        Where a corner of a cell lies, as (y, x).
    turned
        Matrix that brings the cell's (y, x) into the image.
    """
    origin = np.zeros(2) if origin_nm is None else origin_nm
    turn = np.eye(2) if turned is None else turned
    reach = (radius_nm + np.linalg.norm(origin)) * np.linalg.norm(
        cell.reciprocal, axis=1
    )
    last = np.ceil(reach).astype(int) + 1
    steps = np.mgrid[-last[0] : last[0] + 1, -last[1] : last[1] + 1].reshape(2, -1).T
    places = np.array([(site.first, site.second) for site in cell.sites])
    shares = (steps[:, None] + places[None]).reshape(-1, 2)
    position = shares @ np.array(cell.vectors) @ turn.T + origin
    kind = np.tile(np.arange(len(cell.sites)), len(steps))
    inside = np.hypot(*position.T) <= radius_nm
    return _of(cell, position[inside], kind[inside], thickness_nm)


def _of(
    cell: Cell,
    position: Float[ndarray, "n 2"],
    kind: Integer[ndarray, " n"],
    thickness_nm: float,
) -> Columns:
    """Give columns at some places what their sites in the cell say."""
    n = len(kind)
    layers = max(round(thickness_nm / cell.repeat_nm), 1)
    element = np.array([site.element for site in cell.sites])[kind]
    no = np.zeros(n, bool)
    return Columns(
        position_nm=position,
        element=element,
        n_atoms=np.array([site.n_atoms or layers for site in cell.sites])[kind],
        repeat_nm=np.full(n, cell.repeat_nm),
        dopant=np.where(element == cell.host, cell.dopant, 0),
        fragile=np.array([site.fragile for site in cell.sites])[kind],
        on_particle=no,
        surface=no,
        outside=no,
    )
