"""A platinum particle on a ceria surface, both seen along [110] from the side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.specimens.lattice.crystals import (
    CELLS,
    Cell,
    Columns,
    Crystal,
    tiling,
)

# From [001] to the {111} normals that lie in the image.
_TO_111 = np.arccos(1 / np.sqrt(3))
# Distances of {100} and {111} facets from the middle of a platinum crystal (Wulff).
_RATIO_100 = 1.15
# How high the middle of the particle is above its lowest layer, in radii.
_MIDDLE = 0.45
# From the upper cerium layer down through its oxygen, and up to the lowest platinum.
_OXYGEN_NM, _CONTACT_NM = 0.1, 0.28
# A layer of the surface, a little less than the spacing of {100} planes.
_SHELL_NM = 0.19
# A particle is about as thick as it is wide, and thins towards its rim.
_SLOPE, _THICKEST = 4.0, 1.6


def platinum_on_ceria(
    *,
    radius_nm: float,
    thickness_nm: float,
    particle_nm: float,
    surface_nm: float,
    shift_nm: float,
) -> Columns:
    """Build a faceted particle that sits on a flat (111) surface.

    Parameters
    ----------
    radius_nm
        Radius of the disc that is filled, around the middle of the specimen.
    thickness_nm
        Thickness of the ceria along the beam.
    particle_nm
        Distance of the particle's {111} facets from its middle.
    surface_nm
        How far below the middle of the specimen the ceria begins.
    shift_nm
        Shift of the platinum's lattice along the surface.

    Returns
    -------
    Columns
        The ceria's first, then the particle's, then the places just outside of it.
    """
    ceria = _standing(CELLS[Crystal.CEO2_110], radius_nm, thickness_nm, surface_nm, 0.0)
    ceria = ceria.kept(ceria.position_nm[:, 0] > surface_nm - _OXYGEN_NM)
    lowest = surface_nm - _CONTACT_NM
    platinum = _standing(
        CELLS[Crystal.PT_110], radius_nm, thickness_nm, lowest, shift_nm
    )
    middle = np.array([lowest - _MIDDLE * particle_nm, 0.0])
    depth = _depth(platinum.position_nm - middle, particle_nm)
    keep = (platinum.position_nm[:, 0] < lowest + 0.01) & (depth > -_SHELL_NM)
    platinum, depth = platinum.kept(keep), depth[keep]
    length = np.clip(_SLOPE * depth, 0, _THICKEST * particle_nm)
    particle = replace(
        platinum,
        n_atoms=1 + (length / platinum.repeat_nm).astype(int),
        on_particle=np.ones(len(platinum), bool),
        surface=(depth >= 0) & (depth < _SHELL_NM),
        outside=depth < 0,
    )
    return ceria.joined(particle)


def pivot_nm(surface_nm: float) -> Float[ndarray, " 2"]:
    """Give the place on the surface around which the particle turns."""
    return np.array([surface_nm - _CONTACT_NM, 0.0])


def _standing(
    cell: Cell, radius_nm: float, thickness_nm: float, y_nm: float, x_nm: float
) -> Columns:
    """Turn a [110] cell so that {111} planes lie along x, one of them at `y_nm`."""
    cos, sin = np.cos(_TO_111), np.sin(_TO_111)
    return tiling(
        cell,
        radius_nm=radius_nm,
        thickness_nm=thickness_nm,
        origin_nm=np.array([y_nm, x_nm]),
        turned=np.array([[-cos, -sin], [-sin, cos]]),
    )


def _depth(place: Float[ndarray, "n 2"], particle_nm: float) -> Float[ndarray, " n"]:
    """Tell how deep below the nearest facet places are; negative outside."""
    # [001] is turned by 54.7 degrees from the upright [111], as in `_standing`.
    turns = np.array([0.0, 2 * _TO_111, np.pi, np.pi + 2 * _TO_111])
    facets = [(turn, particle_nm) for turn in turns]
    facets += [(_TO_111, _RATIO_100 * particle_nm)]
    facets += [(_TO_111 + np.pi, _RATIO_100 * particle_nm)]
    depths = [
        distance - place @ np.array([-np.cos(turn), -np.sin(turn)])
        for turn, distance in facets
    ]
    deepest: ndarray = np.min(depths, axis=0)
    return deepest
