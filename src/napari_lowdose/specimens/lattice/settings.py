"""What a movie of an atomic lattice shows, and how such movies vary."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from napari_lowdose.config import Share
from napari_lowdose.specimens.draws import log_uniform
from napari_lowdose.specimens.lattice.crystals import CELLS, Crystal
from napari_lowdose.specimens.specimen import Movie

# The drift turns back after this share of the shorter edge.
DRIFT_SHARE = 0.25
# How far a column is seen: six standard deviations of the halo around it.
_REACH = 6 * 2.5
_MOST_COLUMNS = 5_000_000


class Imaging(StrEnum):
    """How the microscope shows a column of atoms."""

    DARK_FIELD = "dark_field"  # bright on dark, by atomic number
    BRIGHT_FIELD_DARK = "bright_field_dark"  # dark on a grey vacuum
    BRIGHT_FIELD_WHITE = "bright_field_white"  # white on a grey vacuum


class Lattice(Movie):
    """A movie of a crystal's columns of atoms, with vacancies and dopants."""

    pixel_size_nm: Annotated[float, Gt(0)] = 0.02
    """Edge of a pixel in the sample plane, in nanometres."""

    crystal: Crystal = Crystal.WS2
    """What the lattice is of, and the direction it is seen along."""

    imaging: Imaging = Imaging.DARK_FIELD
    """Whether atoms are bright on dark, or dark or white against a grey vacuum."""

    magnification: Annotated[float, Gt(0), Le(1000)] = 1.0
    """How much larger all is drawn than the pixel size says; 1: true to scale."""

    probe_std_nm: Annotated[float, Gt(0), Le(10)] = 0.04
    """Standard deviation of the probe's or the lens's blur, in nanometres."""

    vibration_std_nm: Annotated[float, Ge(0), Le(1)] = 0.008
    """Standard deviation of the atoms' thermal vibration, in nanometres."""

    rotation_deg: Annotated[float, Ge(-360), Le(360)] = 10.0
    """Turn of the crystal in the image plane, in degrees."""

    strain: Annotated[float, Ge(-0.2), Le(0.2)] = 0.0
    """Stretch of the lattice along one direction, as a share."""

    tilt_deg: Annotated[float, Ge(0), Le(10)] = 0.0
    """Tilt off the zone axis, which draws the columns out, in degrees."""

    thickness_nm: Annotated[float, Gt(0), Le(50)] = 3.0
    """Length of the columns along the beam, in nanometres; WS2 has one layer only."""

    particle_radius_nm: Annotated[float, Ge(0), Le(100)] = 0.0
    """Radius of the platinum particle on ceria; 0: a third of the frame."""

    vacancy_share: Share = 0.05
    """Share of the columns that miss atoms, some or all; fewer of the metal."""

    dopant_share: Share = 0.02
    """Share of the metal atoms replaced: W by Mo, Pt by Ni, Ce by Zr."""

    hop_rate: Share = 0.01
    """Chance per frame that a vacancy moves to a column nearby."""

    damage_rate: Share = 0.0
    """Chance per frame that the beam takes an atom out of a column."""

    blink_rate: Share = 0.02
    """Chance per frame that a column at the particle's surface goes dark a while."""

    drift_px: Annotated[float, Ge(0), Le(100)] = 0.05
    """Common drift per frame, in pixels; it turns back after a quarter of a frame."""

    turn_deg: Annotated[float, Ge(0), Le(10)] = 0.0
    """Standard deviation of the particle's or crystal's turn per frame, in degrees."""

    support_brightness: Annotated[float, Ge(0), Le(100)] = 0.04
    """Dark field: brightness between the columns, in heaviest columns."""

    support_texture: Share = 0.0
    """Relative standard deviation of the brightness between the columns."""

    contrast: Annotated[float, Gt(0), Le(4)] = 1.0
    """Bright field: strength; 1: columns up to 0.63, or down to 0.34, vacuum 0.45."""

    @property
    def px_per_nm(self) -> float:
        """Pixels per nanometre of the crystal."""
        return self.magnification / self.pixel_size_nm

    @property
    def column_std_px(self) -> float:
        """Standard deviation of a column that is not tilted, in pixels."""
        blur_nm = np.hypot(self.probe_std_nm, self.vibration_std_nm)
        return float(blur_nm * self.px_per_nm)

    @property
    def radius_nm(self) -> float:
        """Radius of the disc of crystal that the frame may come to see."""
        seen_px = np.hypot(*self.shape) / 2 + DRIFT_SHARE * min(self.shape)
        seen_px += _REACH * self.column_std_px
        return float(seen_px / self.px_per_nm / (1 - abs(self.strain)))

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Lattice:
        for name in _crystals_of(self.crystal):
            cell = CELLS[name]
            n_cells = np.pi * self.radius_nm**2 / cell.area_nm2
            if n_cells * len(cell.sites) > _MOST_COLUMNS:
                raise ValueError(
                    f"expected at most {_MOST_COLUMNS} columns of atoms, got "
                    f"{n_cells * len(cell.sites):.0f}; lower pixel_size_nm, or the size"
                )
        return self


def _crystals_of(crystal: Crystal) -> tuple[Crystal, ...]:
    """List the crystals that a scene is made of."""
    if crystal is Crystal.PT_ON_CEO2:
        return Crystal.PT_110, Crystal.CEO2_110
    return (crystal,)


def vary_lattice(settings: Lattice, rng: np.random.Generator) -> Lattice:
    """Draw another lattice: crystal, imaging, magnification, defects and motion.

    The magnification puts the nearest columns 4 to 28 pixels apart, whatever the pixel
    size, and less far where a whole particle is to be seen.
    """
    crystal = Crystal(rng.choice([*Crystal]))
    dark = rng.random() < 0.5
    bright = rng.choice([Imaging.BRIGHT_FIELD_DARK, Imaging.BRIGHT_FIELD_WHITE])
    nearest_nm = min(_nearest_nm(name) for name in _crystals_of(crystal))
    spacing_px = log_uniform(rng, 4, 10 if crystal is Crystal.PT_ON_CEO2 else 28)
    magnification = spacing_px * settings.pixel_size_nm / nearest_nm
    return settings.replaced(
        {
            ("seed",): int(rng.integers(2**32)),
            ("crystal",): crystal,
            ("imaging",): Imaging.DARK_FIELD if dark else Imaging(bright),
            ("magnification",): float(np.clip(magnification, 1e-6, 1000)),
            ("probe_std_nm",): nearest_nm * rng.uniform(0.16, 0.3),
            ("vibration_std_nm",): rng.uniform(0.005, 0.015),
            ("rotation_deg",): rng.uniform(0, 360),
            ("strain",): rng.uniform(-0.03, 0.03),
            ("tilt_deg",): rng.uniform(0, 2) * (rng.random() < 0.5),
            ("thickness_nm",): rng.uniform(1, 6),
            ("particle_radius_nm",): 0.0,
            ("vacancy_share",): rng.uniform(0, 0.1),
            ("dopant_share",): rng.uniform(0, 0.05),
            ("hop_rate",): rng.uniform(0, 0.03),
            ("damage_rate",): rng.uniform(0, 0.002),
            ("blink_rate",): rng.uniform(0.005, 0.1),
            ("drift_px",): log_uniform(rng, 0.01, 3) * (rng.random() < 0.8),
            ("turn_deg",): rng.uniform(0, 0.3) * (rng.random() < 0.5),
            ("support_brightness",): log_uniform(rng, 0.02, 1),
            ("support_texture",): rng.uniform(0, 0.3 if dark else 0.05),
            ("contrast",): log_uniform(rng, 0.3, 2),
        }
    )


def _nearest_nm(crystal: Crystal) -> float:
    """Measure from one column to the nearest other."""
    cell = CELLS[crystal]
    vectors = np.array(cell.vectors)
    places = np.array([(site.first, site.second) for site in cell.sites])
    around = np.mgrid[-1:2, -1:2].reshape(2, -1).T
    others = (places[:, None] + around[None]).reshape(-1, 2)
    away = np.hypot(*((others - places[0]) @ vectors).T)
    return float(away[away > 1e-9].min())
