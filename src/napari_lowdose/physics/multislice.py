"""What a multislice calculation of a scanned image needs to know."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import model_validator
from scipy.constants import c, e, h, m_e

from napari_lowdose.config import Seed
from napari_lowdose.schema import Config


class Multislice(Config):
    """A pair of STEM images of a WS2 layer with defects, calculated by abTEM."""

    n_cells_across: Annotated[int, Ge(1), Le(20)] = 4
    """Unit cells of 0.318 nm along a row of the image."""

    n_cells_down: Annotated[int, Ge(1), Le(20)] = 2
    """Unit cells of 0.551 nm along a column of the image."""

    pixel_size_nm: Annotated[float, Gt(0), Le(0.1)] = 0.0039
    """Edge of a pixel in the sample plane, in nanometres."""

    voltage_kv: Annotated[float, Ge(10), Le(1500)] = 60.0
    """Acceleration voltage, in kilovolts."""

    semiangle_mrad: Annotated[float, Ge(1), Le(100)] = 32.0
    """Half of the opening angle of the probe, in milliradians."""

    inner_mrad: Annotated[float, Ge(0), Le(500)] = 60.0
    """Inner angle of the first image's detector, in milliradians."""

    outer_mrad: Annotated[float, Gt(0), Le(500)] = 140.0
    """Outer angle of the first image's detector, in milliradians."""

    second_inner_mrad: Annotated[float, Ge(0), Le(500)] = 44.0
    """Inner angle of the second detector; that of the first: a repeated scan."""

    second_outer_mrad: Annotated[float, Gt(0), Le(500)] = 140.0
    """Outer angle of the second image's detector, in milliradians."""

    source_std_nm: Annotated[float, Ge(0), Le(0.5)] = 0.03
    """Standard deviation of the electron source in the sample plane, in nanometres."""

    n_vacancies: Annotated[int, Ge(0), Le(400)] = 1
    """Sulphur atoms that are missing."""

    n_dopants: Annotated[int, Ge(0), Le(400)] = 1
    """Tungsten atoms replaced by molybdenum."""

    n_phonons: Annotated[int, Ge(0), Le(100)] = 0
    """Snapshots of the thermal vibration to average; 0: atoms at rest."""

    vibration_std_nm: Annotated[float, Ge(0), Le(0.05)] = 0.006
    """Standard deviation of an atom's vibration along each axis, in nanometres."""

    potential_step_nm: Annotated[float, Ge(0.001), Le(0.02)] = 0.007
    """Largest step of the grid on which waves are calculated, in nanometres."""

    slice_nm: Annotated[float, Ge(0.02), Le(1)] = 0.1
    """Thickness of a slice of the specimen, in nanometres."""

    seed: Seed = 0
    """Start of the random numbers: the same seed gives the same defects."""

    @property
    def wavelength_nm(self) -> float:
        """Wavelength of the electrons."""
        energy = self.voltage_kv * 1e3 * e
        momentum = np.sqrt(2 * m_e * energy + (energy / c) ** 2)
        return float(h / momentum * 1e9)

    @property
    def largest_mrad(self) -> float:
        """Largest angle that the grid carries: two thirds of its own limit."""
        return self.wavelength_nm / (2 * self.potential_step_nm) * 2 / 3 * 1e3

    @model_validator(mode="after")
    def _can_be_calculated(self) -> Multislice:
        n_cells = self.n_cells_across * self.n_cells_down
        if self.n_vacancies > 4 * n_cells or self.n_dopants > 2 * n_cells:
            raise ValueError(
                f"expected at most {4 * n_cells} vacancies and {2 * n_cells} dopants "
                f"in {n_cells} cells, got {self.n_vacancies} and {self.n_dopants}; "
                "take more cells"
            )
        rings = (
            (self.inner_mrad, self.outer_mrad),
            (self.second_inner_mrad, self.second_outer_mrad),
        )
        for inner, outer in rings:
            if inner >= outer:
                raise ValueError(
                    "expected a detector's outer angle above its inner one, got "
                    f"{inner:g} to {outer:g} mrad; exchange them"
                )
        outermost = max(self.outer_mrad, self.second_outer_mrad, self.semiangle_mrad)
        if outermost > self.largest_mrad:
            raise ValueError(
                f"expected angles up to {self.largest_mrad:.0f} mrad, got "
                f"{outermost:g}; lower potential_step_nm"
            )
        return self
