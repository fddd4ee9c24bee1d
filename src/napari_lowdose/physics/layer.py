"""The atoms of a WS2 layer with defects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

from napari_lowdose.physics.multislice import Multislice

_SULPHUR, _MOLYBDENUM, _TUNGSTEN = 16, 42, 74
# Lattice constant, from the tungsten plane to a sulphur plane, and vacuum around.
_EDGE_NM, _ABOVE_NM, _HEIGHT_NM = 0.318, 0.157, 0.6
# One rectangular cell: atomic number, shares of its edges (y, x), and plane.
_CELL = (
    (_TUNGSTEN, 0.0, 0.0, 0),
    (_TUNGSTEN, 1 / 2, 1 / 2, 0),
    *((_SULPHUR, 1 / 6, 1 / 2, side) for side in (-1, 1)),
    *((_SULPHUR, 2 / 3, 0.0, side) for side in (-1, 1)),
)


@dataclass(frozen=True)
class Layer:
    """The atoms of a rectangle that repeats without a seam.

    Parameters
    ----------
    element
        Atomic numbers.
    position_nm
        (z, y, x), z along the beam.
    present
        Whether an atom is there; those that are not are the vacancies.
    edges_nm
        Height along the beam, and edges of the rectangle along y and x.
    """

    element: Integer[ndarray, " n"]
    position_nm: Float[ndarray, "n 3"]
    present: Bool[ndarray, " n"]
    edges_nm: tuple[float, float, float]


def ws2_layer(settings: Multislice) -> Layer:
    """Lay out the atoms; draw where they are missing or replaced."""
    edges = np.array([_EDGE_NM * np.sqrt(3), _EDGE_NM])
    n_cells = (settings.n_cells_down, settings.n_cells_across)
    corners = np.indices(n_cells).reshape(2, -1).T
    element, y, x, side = np.array(_CELL).T
    place = (corners[:, None] + np.column_stack([y, x])[None]).reshape(-1, 2) * edges
    z = np.tile(_HEIGHT_NM / 2 + side * _ABOVE_NM, len(corners))
    element = np.tile(element.astype(int), len(corners))
    rng = np.random.default_rng(settings.seed)
    replaced = rng.choice(
        np.flatnonzero(element == _TUNGSTEN), settings.n_dopants, replace=False
    )
    missing = rng.choice(
        np.flatnonzero(element == _SULPHUR), settings.n_vacancies, replace=False
    )
    element[replaced] = _MOLYBDENUM
    present = np.ones(len(element), bool)
    present[missing] = False
    rows_nm, columns_nm = np.array(n_cells) * edges
    return Layer(
        element=element,
        position_nm=np.column_stack([z, place]),
        present=present,
        edges_nm=(_HEIGHT_NM, float(rows_nm), float(columns_nm)),
    )
