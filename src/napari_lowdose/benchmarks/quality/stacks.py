"""The development set: movies with truth on which denoisers are judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Real
from numpy import ndarray

from napari_lowdose.noise import Noise, Poisson, Readout, add_noise
from napari_lowdose.noise.stage import Stage
from napari_lowdose.particles import Polarity
from napari_lowdose.specimens import (
    SPECIMENS,
    Catalyst,
    Fluorescence,
    GaussianPeaks,
    Lattice,
    Movie,
    PNJunction,
)
from napari_lowdose.specimens.lattice.crystals import Crystal
from napari_lowdose.specimens.lattice.settings import Imaging
from napari_lowdose.specimens.scene import Tracks

_CAMERA = Readout(gain=2.0, offset=100.0, readout_std=3.0)


@dataclass(frozen=True)
class Spots:
    """How the particles of a stack are looked for.

    Parameters
    ----------
    sigmas_px
        Scales, in pixels.
    polarity
        Bright or dark.
    separation_px
        Least distance of two detections, in pixels.
    """

    sigmas_px: tuple[float, ...] = (2.0, 2.8, 4.0)
    polarity: Polarity = Polarity.BRIGHT
    separation_px: int = 3


@dataclass(frozen=True)
class DevelopmentStack:
    """A movie with everything that is known about it.

    Parameters
    ----------
    name
        What it shows.
    noisy, truth
        Recorded and expected counts (t, y, x), float32.
    gain, offset, readout_std
        Of its detector: counts per quantum, counts.
    particles, events
        As in `napari_lowdose.specimens.Scene`; empty where there are none.
    spots
        How its particles are looked for; None where none are counted.
    """

    name: str
    noisy: Float32[ndarray, "t y x"]
    truth: Float32[ndarray, "t y x"]
    gain: float = 1.0
    offset: float = 0.0
    readout_std: float = 0.0
    particles: pd.DataFrame = field(default_factory=lambda: Tracks().particles)
    events: pd.DataFrame = field(default_factory=lambda: Tracks().events)
    spots: Spots | None = None

    @property
    def electrons(self) -> Float32[ndarray, "t y x"]:
        """Expected quanta, to which readout noise adds its variance in quanta."""
        quanta = (self.truth - self.offset) / self.gain
        quanta += (self.readout_std / self.gain) ** 2
        return quanta.astype(np.float32)


@dataclass(frozen=True)
class Recipe:
    """How a simulated stack of the set is made.

    Parameters
    ----------
    name
        What it shows.
    kind
        Name of `SPECIMENS`.
    settings
        Of the specimen; its seed, above 9000, is that of the noise too.
    dose
        Mean quanta per pixel and frame.
    camera
        What turns quanta into counts after the counting; None: the counts are quanta.
    spots
        How its particles are looked for; None where none are counted.
    """

    name: str
    kind: str
    settings: Movie
    dose: float
    camera: Readout | None = None
    spots: Spots | None = None


RECIPES: Sequence[Recipe] = (
    Recipe(
        "slow catalyst",
        "catalyst",
        Catalyst(
            frames=64,
            n_particles=20,
            radius_px=3.5,
            contrast=1.8,
            motion_px=0.2,
            drift_px=0.03,
            hop_rate=0.002,
            seed=9031,
        ),
        dose=1.0,
        spots=Spots(),
    ),
    Recipe(
        "fast catalyst",
        "catalyst",
        Catalyst(
            frames=64,
            n_particles=12,
            contrast=1.2,
            motion_px=2.5,
            hop_rate=0.01,
            seed=9002,
        ),
        dose=2.0,
        spots=Spots(),
    ),
    Recipe(
        "catalyst at 0.3",
        "catalyst",
        Catalyst(
            frames=64,
            n_particles=10,
            radius_px=5.0,
            contrast=1.6,
            facets=0.6,
            hole_px=30.0,
            seed=9003,
        ),
        dose=0.3,
        spots=Spots(),
    ),
    Recipe(
        "blinking catalyst",
        "catalyst",
        Catalyst(
            frames=64,
            n_particles=16,
            contrast=2.0,
            blink_rate=0.05,
            birth_rate=0.4,
            motion_px=0.2,
            seed=9004,
        ),
        dose=1.0,
        spots=Spots(),
    ),
    Recipe(
        "ws2 lattice",
        "lattice",
        Lattice(
            frames=48, magnification=1.3, damage_rate=0.001, drift_px=0.1, seed=9005
        ),
        dose=0.7,
        spots=Spots((1.6, 2.4, 3.4)),
    ),
    Recipe(
        "dark ceria lattice",
        "lattice",
        Lattice(
            frames=48,
            crystal=Crystal.CEO2_110,
            imaging=Imaging.BRIGHT_FIELD_DARK,
            contrast=3.0,
            rotation_deg=25.0,
            turn_deg=0.05,
            drift_px=0.2,
            seed=9006,
        ),
        dose=2.0,
    ),
    Recipe(
        "cells",
        "fluorescence",
        Fluorescence(
            frames=64,
            cell_brightness=6.0,
            filament_brightness=12.0,
            vesicle_brightness=30.0,
            seed=9007,
        ),
        dose=1.0,
    ),
    Recipe("pn junction", "pn_junction", PNJunction(frames=64, seed=9008), dose=2.0),
    Recipe(
        "analogue camera",
        "catalyst",
        Catalyst(frames=64, contrast=0.5, motion_px=0.5, facets=1.0, seed=9009),
        dose=10.0,
        camera=_CAMERA,
        spots=Spots(),
    ),
    Recipe(
        "jumping peaks",
        "gaussian_peaks",
        GaussianPeaks(frames=48, persistence=0.97, crowding=1.5, seed=9010),
        dose=1.0,
        spots=Spots((1.2, 1.8, 2.6)),
    ),
)


def development_set(
    *, small: bool = False, data: Path | None = None
) -> Iterator[DevelopmentStack]:
    """Make the stacks, one after the other, the same ones each time.

    Their seeds are above 9000, which trainings leave alone.

    Parameters
    ----------
    small
        16 frames of 64 x 64 pixels, and none of the real movies, for tests.
    data
        Folder with the real movies, see `recorded_stacks`; None: where the project
        keeps them. They are left out where they are not.
    """
    from napari_lowdose.benchmarks.quality.recorded import recorded_stacks

    for recipe in RECIPES:
        yield simulated_stack(recipe, small=small)
    if not small:
        yield from recorded_stacks(data)


def simulated_stack(recipe: Recipe, *, small: bool = False) -> DevelopmentStack:
    """Make one stack: a specimen, and what a detector records of it."""
    settings = recipe.settings
    if small:
        settings = settings.replaced({("frames",): 16, ("size",): 64})
    scene = SPECIMENS[recipe.kind].render(settings)
    stages: tuple[Stage, ...] = (Poisson(),)
    if recipe.camera:
        stages = (*stages, recipe.camera)
    noise = Noise(dose=recipe.dose, stages=stages, seed=settings.seed)
    noisy, truth = add_noise(scene.stack, noise)
    camera = recipe.camera or Readout(readout_std=0.0)
    return DevelopmentStack(
        recipe.name,
        noisy.read().astype(np.float32),
        truth.read().astype(np.float32),
        camera.gain,
        camera.offset,
        camera.readout_std,
        scene.particles,
        scene.events,
        recipe.spots,
    )


def counted(expected: Real[ndarray, "t y x"], seed: int) -> Float32[ndarray, "t y x"]:
    """Draw Poisson counts of expected ones."""
    rng = np.random.default_rng(seed)
    return rng.poisson(expected).astype(np.float32)
