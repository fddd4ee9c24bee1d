"""From expected counts to a noisy stack, one step after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from zlib import crc32

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float, Real
from numpy import ndarray
from pydantic import BeforeValidator, PlainSerializer

from napari_lowdose.config import Seed
from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages import STAGES, Poisson
from napari_lowdose.schema import Config, checked
from napari_lowdose.stack import Stack

# numpy's Poisson sampler refuses means near the largest 64-bit integer; below this
# value neither it nor the float64 products around it overflow.
_LARGEST_MEAN = 1e12


def name_of(stage: Stage) -> str:
    """Find the name under which a stage's kind is listed in `STAGES`."""
    return next(name for name, kind in STAGES.items() if kind is type(stage))


def _read(content: object) -> object:
    """Build a stage from ``{"stage": name, ...}``; let a stage be."""
    if not isinstance(content, Mapping):
        return content
    settings = dict(content)
    name = settings.pop("stage", None)
    if name not in STAGES:
        raise ValueError(f"expected a stage of {', '.join(STAGES)}, got {name!r}")
    return checked(STAGES[name], settings)


def _written(stage: Stage) -> dict[str, Any]:
    return {"stage": name_of(stage), **stage.model_dump(mode="json")}


AnyStage = Annotated[Stage, BeforeValidator(_read), PlainSerializer(_written)]


class Noise(Config):
    """How a microscope turns expected counts into a noisy stack."""

    dose: Annotated[float, Ge(0), Le(1e9)] = 1.0
    """Mean expected electrons or photons per pixel per frame; 0: the stack's own."""

    stages: tuple[AnyStage, ...] = (Poisson(),)
    """What happens to the counts, in this order."""

    seed: Seed = 0
    """Start of the random numbers: the same seed gives the same noise."""


def add_noise(clean: Stack, noise: Noise) -> tuple[Stack, Stack]:
    """Simulate what a detector records of a clean stack.

    Parameters
    ----------
    clean
        Brightness of shape (t, y, x), not negative; its mean is scaled to the dose.
    noise
        Dose, steps of the recording, and seed.

    Returns
    -------
    noisy, truth
        Recorded and expected counts, float32 in the detector's counts (the recorded
        ones integers where the last step makes them), so that the truth is the mean
        of the noisy stack over many seeds, but for what a step damages.

    Raises
    ------
    UnusableStack
        If the brightness is negative or not finite, or zero everywhere.
    """
    electrons = expected_electrons(clean.read(), dose=noise.dose)
    step = {"step": "add noise", **noise.model_dump(mode="json")}
    truth = expect(electrons, noise)
    noisy = record(electrons, noise)
    if noisy.dtype.kind == "f":
        noisy = noisy.astype(np.float32)
    return (
        clean.with_data(noisy, "noisy", step),
        clean.with_data(truth.astype(np.float32), "truth", step),
    )


def expected_electrons(
    brightness: Real[ndarray, "t y x"], *, dose: float
) -> Float[ndarray, "t y x"]:
    """Scale a brightness to a mean dose, in electrons per pixel per frame.

    Raises
    ------
    UnusableStack
        If a value is negative, or all are zero.
    """
    low = float(brightness.min())
    if low < 0:
        raise UnusableStack(
            f"expected counts of zero or more to add noise to, got {low:g}; "
            "subtract the detector's offset first"
        )
    mean = float(brightness.mean(dtype=np.float64))
    if mean == 0:
        raise UnusableStack(
            "expected some brightness to add noise to, got zero everywhere"
        )
    electrons = brightness.astype(np.float64)
    if dose:
        electrons *= dose / mean
    if electrons.max() > _LARGEST_MEAN:
        raise UnusableStack(
            f"expected at most {_LARGEST_MEAN:g} electrons in a pixel, got "
            f"{electrons.max():.3g}; lower the dose"
        )
    return electrons


def expect(electrons: Float[ndarray, "t y x"], noise: Noise) -> Float[ndarray, "t y x"]:
    """Give the counts that a detector shows of expected electrons on average."""
    counts = electrons
    for stage in noise.stages:
        counts = stage.expect(counts)
    return counts


def record(electrons: Float[ndarray, "t y x"], noise: Noise) -> Real[ndarray, "t y x"]:
    """Draw the counts that a detector shows for expected electrons."""
    counts: Real[ndarray, "t y x"] = electrons.copy()
    for stage, rng in zip(noise.stages, _streams(noise), strict=True):
        counts = stage.record(counts, rng)
    return counts


def _streams(noise: Noise) -> Iterator[np.random.Generator]:
    """Give each stage random numbers that the other stages do not change.

    Specimens draw from the plain seed.
    """
    seen = Counter[str]()
    for stage in noise.stages:
        name = name_of(stage)
        yield np.random.default_rng([noise.seed, 1, crc32(name.encode()), seen[name]])
        seen[name] += 1
