"""What the user decides about live cells in fluorescence, and how samples differ."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le

from napari_lowdose.config import Share
from napari_lowdose.specimens.draws import log_uniform
from napari_lowdose.specimens.specimen import Movie


class Fluorescence(Movie):
    """A movie of live cells: filaments, vesicles that ride on them, bleaching."""

    pixel_size_nm: Annotated[float, Gt(0)] = 100.0
    """Edge of a pixel in the sample plane, in nanometres."""

    frame_interval_s: Annotated[float, Gt(0)] = 0.05
    """Time from one frame to the next, in seconds."""

    psf_std_px: Annotated[float, Ge(0.5), Le(50)] = 1.3
    """Standard deviation of the microscope's blur, in pixels."""

    bleached_share: Annotated[float, Ge(0), Le(0.99)] = 0.3
    """Share of the fluorescence that is bleached by the last frame."""

    haze: Share = 0.25
    """Light out of focus, as a share of the light in focus."""

    n_cells: Annotated[int, Ge(0), Le(1000)] = 2
    """Number of cells that glow as a whole."""

    cell_radius_px: Annotated[float, Gt(0), Le(4096)] = 45.0
    """Mean radius of a cell, in pixels."""

    cell_brightness: Annotated[float, Ge(0), Le(1000)] = 2.0
    """Brightness of a cell's body, in units of the background."""

    nucleus_brightness: Annotated[float, Ge(0), Le(100)] = 0.5
    """Brightness of a nucleus, in units of its cell's body."""

    crawl_px: Annotated[float, Ge(0), Le(50)] = 0.05
    """How far a cell's middle and rim move per frame, in pixels."""

    n_filaments: Annotated[int, Ge(0), Le(10_000)] = 16
    """Number of filaments; they start at the nuclei where there are cells."""

    filament_length_px: Annotated[float, Ge(2), Le(4096)] = 60.0
    """Mean length of a filament that has grown to its end, in pixels."""

    filament_brightness: Annotated[float, Ge(0), Le(1000)] = 3.0
    """Brightness along a filament, in units of the background."""

    sway_px: Annotated[float, Ge(0), Le(100)] = 1.5
    """Standard deviation of a filament's free end, in pixels."""

    growth_px: Annotated[float, Ge(0), Le(50)] = 0.3
    """How far a filament grows per frame, in pixels; it shrinks twice as fast."""

    n_vesicles: Annotated[int, Ge(0), Le(10_000)] = 24
    """Number of vesicles in the first frame."""

    vesicle_brightness: Annotated[float, Gt(0), Le(1000)] = 8.0
    """Mean brightness at a vesicle's centre, in units of the background."""

    diffusion_px: Annotated[float, Ge(0), Le(50)] = 0.4
    """Standard deviation of a free vesicle's step per frame, in pixels."""

    transport_px: Annotated[float, Ge(0), Le(50)] = 0.8
    """How far a vesicle rides along a filament per frame, in pixels."""

    blink_rate: Share = 0.01
    """Chance per frame that a vesicle goes dark; it comes back within some frames."""

    turnover_rate: Share = 0.004
    """Chance per frame that a vesicle is gone for good; as many new ones appear."""


def vary_fluorescence(settings: Fluorescence, rng: np.random.Generator) -> Fluorescence:
    """Draw other cells: few or many, slow or fast, faint or bright, clean or hazy.

    Of cells, filaments and vesicles each may be absent, but not all. Lengths follow
    small frames and numbers large ones, so that any frame shows something.
    """
    short = min(*settings.shape, 256)
    area = settings.shape[0] * settings.shape[1] / 128**2
    cells, filaments, vesicles = _present(rng)
    values: dict[str, Any] = {
        "seed": int(rng.integers(2**32)),
        "psf_std_px": float(rng.uniform(0.8, 2.2)),
        "bleached_share": float(rng.uniform(0, 0.8)),
        "haze": float(rng.uniform(0, 0.5)),
        "n_cells": cells * _number(1, max(5 * area, 5), 1000, rng),
        "cell_radius_px": short * float(rng.uniform(0.15, 0.5)),
        "cell_brightness": log_uniform(rng, 0.3, 6),
        "nucleus_brightness": log_uniform(rng, 0.2, 4),
        "crawl_px": log_uniform(rng, 0.01, 0.5),
        "n_filaments": filaments * _number(2 * area, 40 * area, 10_000, rng),
        "filament_length_px": max(short * float(rng.uniform(0.2, 0.9)), 8.0),
        "filament_brightness": log_uniform(rng, 0.5, 10),
        "sway_px": log_uniform(rng, 0.2, 6),
        "growth_px": log_uniform(rng, 0.05, 2),
        "n_vesicles": vesicles * _number(3 * area, 80 * area, 10_000, rng),
        "vesicle_brightness": log_uniform(rng, 1, 25),
        "diffusion_px": log_uniform(rng, 0.03, 2),
        "transport_px": log_uniform(rng, 0.1, 3),
        "blink_rate": float(rng.uniform(0, 0.05)),
        "turnover_rate": log_uniform(rng, 0.0005, 0.02),
    }
    return settings.replaced({(name,): value for name, value in values.items()})


def _present(rng: np.random.Generator) -> tuple[bool, bool, bool]:
    """Draw which of cells, filaments and vesicles there are; at least one."""
    while True:
        present = rng.random(3) < (0.6, 0.7, 0.85)
        if present.any():
            return bool(present[0]), bool(present[1]), bool(present[2])


def _number(low: float, high: float, most: int, rng: np.random.Generator) -> int:
    return min(max(round(log_uniform(rng, low, high)), 1), most)
