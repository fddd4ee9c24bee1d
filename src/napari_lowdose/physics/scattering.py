"""Scattering of a probe by a layer of atoms, with abTEM.

abTEM is under the GPL: only this module uses it, and only in a process of its own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.physics.layer import ws2_layer
from napari_lowdose.physics.multislice import Multislice

# Atoms of one kind must all lie the same way on the grid, or some scatter a tenth more:
# these divide a cell so that tungsten and sulphur meet it at the same place.
_DIVISORS = (4, 12)
_NM = 10.0  # abTEM takes Angstrom
_FINER_THAN_NYQUIST = 0.95


def detected(settings: Multislice) -> Float[ndarray, "2 y x"]:
    """Calculate which fraction of the beam the two detectors see, on a coarse grid.

    The probe cannot draw anything finer than twice its opening angle over the
    wavelength, so that a grid this fine says all.

    Raises
    ------
    ImportError
        If abTEM is not installed.
    """
    import abtem
    from ase import Atoms

    layer = ws2_layer(settings)
    there = layer.present
    height_nm, *edges_nm = layer.edges_nm
    atoms = Atoms(
        layer.element[there],
        positions=layer.position_nm[there, ::-1] * _NM,
        cell=np.array([*edges_nm[::-1], height_nm]) * _NM,
        pbc=True,
    )
    if settings.n_phonons:
        atoms = abtem.FrozenPhonons(
            atoms,
            settings.n_phonons,
            sigmas=settings.vibration_std_nm * _NM,
            seed=settings.seed,
        )
    potential = abtem.Potential(
        atoms,
        gpts=_grid(settings, edges_nm)[::-1],
        slice_thickness=settings.slice_nm * _NM,
        parametrization="lobato",
        projection="infinite",
    )
    waves = abtem.SMatrix(
        potential=potential,
        energy=settings.voltage_kv * 1e3,
        semiangle_cutoff=settings.semiangle_mrad,
    )
    scan = abtem.GridScan(
        (0, 0),
        np.array(edges_nm[::-1]) * _NM,
        gpts=_scan(settings, edges_nm)[::-1],
        endpoint=False,
    )
    detectors = [
        abtem.AnnularDetector(settings.inner_mrad, settings.outer_mrad),
        abtem.AnnularDetector(settings.second_inner_mrad, settings.second_outer_mrad),
    ]
    images = waves.scan(scan=scan, detectors=detectors).compute(progress_bar=False)
    return np.stack([np.asarray(image.array, np.float64).T for image in images])


def _grid(settings: Multislice, edges_nm: list[float]) -> tuple[int, int]:
    """Count the points, along y and x, on which waves are calculated."""
    n_cells = (settings.n_cells_down, settings.n_cells_across)
    rows, columns = (
        n * divisor * int(np.ceil(edge / n / settings.potential_step_nm / divisor))
        for edge, n, divisor in zip(edges_nm, n_cells, _DIVISORS[::-1], strict=True)
    )
    return rows, columns


def _scan(settings: Multislice, edges_nm: list[float]) -> tuple[int, int]:
    """Count the places of the probe along y and x: odd, so that no wave is split."""
    finest = settings.wavelength_nm / (4 * settings.semiangle_mrad * 1e-3)
    rows, columns = (
        int(np.ceil(edge / (_FINER_THAN_NYQUIST * finest))) // 2 * 2 + 1
        for edge in edges_nm
    )
    return rows, columns
