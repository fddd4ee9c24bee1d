"""How models and methods are applied to stacks, and what they made is judged."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from napari_lowdose.config.choices import Fusion, Plane, Polarity, Seed
from napari_lowdose.config.given import Compute, Detector
from napari_lowdose.schema import Config, Registry


class Denoising(Config):
    """How a fitted denoiser is applied to a stack."""

    planes: tuple[Plane, ...] = tuple(Plane)
    """Directions to use; several are fused into one estimate."""

    fusion: Fusion = Fusion.AUTO
    """How the directions' estimates become one; auto: learned if the model can."""

    both_ways: bool = False
    """Also denoise the movie run backwards, and average: better, in twice the time."""

    put_back: bool = True
    """Put back contrast and details that a base model's result lacks of the counts."""

    remove_lines: bool = True
    """Let base models take off noise that all pixels of a row or column share."""

    tile_px: Annotated[int, Ge(0), Le(16384)] = 0
    """Edge of the tiles that slices are cut into; 0: as large as memory allows."""

    compute: Compute = Compute()
    """On what the denoising runs."""


class Comparison(Config):
    """Which methods are put side by side."""

    baselines: Annotated[tuple[str, ...], Registry("classical", "BASELINES")] = (
        "gaussian",
        "bilateral",
        "nonlocal_means",
        "wiener",
    )
    """Classical methods to compare with, each tuned on the stack at hand."""

    models: tuple[str, ...] = ()
    """Base models, by their names, and model files to compare."""

    estimates: tuple[str, ...] = ()
    """TIFF files of results made elsewhere; each of the noisy stack's shape."""

    each_plane: bool = True
    """Also show what each of a model's directions makes of the stack alone."""

    gain: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """Counts per electron or photon; used when tuning without truth."""

    offset: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0
    """Counts in the dark; used when tuning without truth."""

    seed: Seed = 0
    """Start of the random numbers that split the counts when tuning without truth."""

    cache: bool = True
    """Keep results on disk, so that what was asked before is answered at once."""

    denoising: Denoising = Denoising()
    """How the networks are applied."""


class Inspecting(Config):
    """How particles are looked for in the estimate and tested on the raw counts."""

    polarity: Polarity = Polarity.AUTO
    """Look for particles that are bright, dark, or both; auto: what stands out more."""

    n_std: Annotated[float, Gt(0), Le(100)] = 5.0
    """How far a particle must stand out of the estimate, in deviations around it."""

    smallest_px: Annotated[float, Ge(1), Le(64)] = 1.4
    """Radius of the smallest particles, in pixels."""

    largest_px: Annotated[float, Ge(1), Le(64)] = 5.7
    """Radius of the largest particles, in pixels."""

    reach_px: Annotated[float, Gt(0), Le(100)] = 4.0
    """How far a particle may move from one frame to the next, in pixels."""

    gap_frames: Annotated[int, Ge(0), Le(20)] = 2
    """Frames in a row in which a particle may be missing and still be the same."""

    detector: Detector = Detector()
    """What is known of the detector."""

    null_movies: Annotated[int, Ge(1), Le(100)] = 1
    """Movies of pure noise for the null test."""

    seed: Seed = 0
    """Start of the random numbers of the null movies."""

    denoising: Denoising = Denoising()
    """How the networks are applied."""

    @model_validator(mode="after")
    def _from_small_to_large(self) -> Inspecting:
        if self.smallest_px > self.largest_px:
            raise ValueError(
                f"expected smallest_px up to largest_px, got {self.smallest_px:g} and "
                f"{self.largest_px:g}; exchange them"
            )
        return self


class Scoring(Config):
    """What is known of an estimate that is scored."""

    detector: Detector = Detector()
    """What is known of the detector."""

    seen_frames: Annotated[int, Ge(-1), Le(1000)] = -1
    """Frames before and after that an estimate was made of; -1: not known."""

    lattice_constant: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """Of a hexagonal lattice, in the pixel unit; 0: any lattice."""

    seed: Seed = 0
    """Start of the random numbers of thinning and of standard errors."""

    denoising: Denoising = Denoising()
    """How the networks are applied."""
