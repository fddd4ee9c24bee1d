"""What the user decides about a catalyst movie, and how samples differ."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from napari_lowdose.config import Share
from napari_lowdose.specimens.draws import log_uniform
from napari_lowdose.specimens.specimen import Movie


class Catalyst(Movie):
    """A movie of platinum particles that move, coalesce and blink on carbon."""

    n_particles: Annotated[int, Ge(0), Le(10_000)] = 16
    """Number of particles in the first frame, as far as they find room."""

    radius_px: Annotated[float, Ge(0.25), Le(256)] = 4.0
    """Mean radius of a particle, in pixels."""

    contrast: Annotated[float, Ge(0), Le(1000)] = 4.0
    """Brightness a mean particle adds at its centre, in carbons; 0: from carbon_nm."""

    carbon_nm: Annotated[float, Gt(0), Le(1000)] = 20.0
    """Thickness of the carbon film, in nanometres; used where contrast is 0."""

    carbon_texture: Share = 0.1
    """Relative standard deviation of the carbon film's brightness."""

    carbon_texture_px: Annotated[float, Ge(1), Le(100)] = 5.0
    """Grain of the carbon's texture: standard deviation of its blur, in pixels."""

    carbon_ramp: Share = 0.2
    """How much brighter the carbon is at its thick end, as a share of its mean."""

    hole_px: Annotated[float, Ge(0), Le(4096)] = 0.0
    """Radius of a hole in the carbon, in pixels; 0: no hole."""

    probe_px: Annotated[float, Ge(0.5), Le(10)] = 0.8
    """Blur of the picture by the beam: its standard deviation, in pixels."""

    facets: Share = 0.0
    """How much outlines are hexagons; 0: particles are round."""

    motion_px: Annotated[float, Ge(0), Le(50)] = 0.3
    """Standard deviation of a mean particle's step per frame, in pixels."""

    drift_px: Annotated[float, Ge(0), Le(10)] = 0.05
    """Common drift of film and particles per frame, in pixels."""

    hop_rate: Share = 0.004
    """Chance per frame that a particle jumps by several pixels."""

    blink_rate: Share = 0.01
    """Chance per frame that a particle goes dark; it comes back within some frames."""

    merge_frames: Annotated[float, Ge(0.5), Le(1000)] = 8.0
    """Frames in which two merging particles shorten their distance to a third."""

    ripening_rate: Share = 0.0
    """Share per frame by which a particle of half the mean radius shrinks."""

    birth_rate: Annotated[float, Ge(0), Le(10)] = 0.0
    """Mean number of new particles per frame."""

    n_atoms: Annotated[int, Ge(0), Le(10_000)] = 0
    """Number of single platinum atoms, in groups of one to four."""

    atom_jump_rate: Share = 0.05
    """Chance per frame that a single atom jumps."""

    @model_validator(mode="after")
    def _leaves_carbon(self) -> Catalyst:
        most = min(self.shape) / 2
        if self.hole_px > most:
            rows, columns = self.shape
            raise ValueError(
                f"expected a hole of at most {most:g} pixels radius in a frame of "
                f"{rows} x {columns}, got {self.hole_px:g}; make it smaller"
            )
        return self


def vary_catalyst(settings: Catalyst, rng: np.random.Generator) -> Catalyst:
    """Draw another catalyst: size, number, contrast, film and motion of its particles.

    Parameters
    ----------
    settings
        Frames, size, width, pixel size and frame interval stay; all else is drawn.
    rng
        Where the draw comes from.

    References
    ----------
    The ranges are those of published movies of platinum on carbon (5 to 60 particles
    of 1.5 to 12 pixels radius in 128 x 128 pixels), with motion up to several pixels
    per frame and contrast down to what a sub-nanometre cluster has.
    """
    rows, columns = settings.shape
    area = rows * columns
    radius = log_uniform(rng, 1.5, max(min(12.0, min(rows, columns) / 6), 2.0))
    # Above a third of the frame they would all merge at once.
    n_most = 0.33 * area / (np.pi * 1.2 * radius**2)
    number = log_uniform(rng, 5, 60) * area / 128**2
    drawn = {
        "seed": int(rng.integers(2**32)),
        "radius_px": radius,
        "n_particles": max(1, min(round(min(number, n_most)), 10_000)),
        "contrast": log_uniform(rng, 0.3, 10),
        "carbon_texture": log_uniform(rng, 0.02, 0.3),
        "carbon_texture_px": log_uniform(rng, 2, 20),
        "carbon_ramp": rng.uniform(0, 0.5),
        "hole_px": _sometimes(rng, 0.15, rng.uniform(0.15, 0.4) * min(rows, columns)),
        "probe_px": rng.uniform(0.5, 1.5),
        "facets": _sometimes(rng, 0.5, rng.uniform(0.3, 1)),
        "motion_px": log_uniform(rng, 0.03, 3),
        "drift_px": _sometimes(rng, 0.8, log_uniform(rng, 0.01, 1)),
        "hop_rate": _sometimes(rng, 0.7, log_uniform(rng, 0.001, 0.02)),
        "blink_rate": _sometimes(rng, 0.7, log_uniform(rng, 0.002, 0.05)),
        "merge_frames": log_uniform(rng, 3, 20),
        "ripening_rate": _sometimes(rng, 0.4, log_uniform(rng, 0.002, 0.05)),
        "birth_rate": _sometimes(rng, 0.3, log_uniform(rng, 0.01, 0.1)),
        "n_atoms": round(_sometimes(rng, 0.4, rng.uniform(1, 30) * area / 128**2)),
        "atom_jump_rate": log_uniform(rng, 0.01, 0.2),
    }
    drawn["n_atoms"] = min(int(drawn["n_atoms"]), 10_000)
    return settings.replaced({(name,): value for name, value in drawn.items()})


def _sometimes(rng: np.random.Generator, chance: float, value: float) -> float:
    """Keep a value with some chance; else zero."""
    return float(value) if rng.random() < chance else 0.0
