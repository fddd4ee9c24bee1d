"""From expected counts to a noisy stack, one step after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any
from zlib import crc32

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float, Real
from numpy import ndarray
from pydantic import BeforeValidator, PlainSerializer

from napari_lowdose.config import Seed
from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.stage import Stage, refuse_overflow
from napari_lowdose.noise.stages import STAGES, Poisson
from napari_lowdose.schema import Config, checked
from napari_lowdose.stack import Stack

# Below this value neither counting nor any gain after it overflows.
_LARGEST_MEAN = 1e12


def name_of(stage: Stage) -> str:
    """Find the name under which a stage's kind is listed in `STAGES`."""
    return next(name for name, kind in STAGES.items() if kind is type(stage))


def refuse_unknown(what: str, name: object, known: Iterable[str]) -> None:
    """Keep a name that is not known out, and name the one that it may stand for.

    Raises
    ------
    ValueError
        If `name` is not among the known ones.
    """
    known = tuple(known)
    if name not in known:
        near = get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"unknown {what} {name!r}; {hint if known else 'it has none'}")


def read_stage(content: object) -> object:
    """Build a stage from ``{"stage": name, ...}``; let a stage be.

    Raises
    ------
    ValueError
        If a name is unknown or a value out of bounds, in one sentence.
    """
    if isinstance(content, Stage):
        return content
    if not isinstance(content, Mapping) or "stage" not in content:
        raise ValueError('expected a stage as {"stage": name, ...}')
    settings = {str(key): value for key, value in content.items()}
    name = settings.pop("stage")
    refuse_unknown("stage", name, STAGES)
    for field in settings:
        refuse_unknown(f"setting of {name!r}:", field, STAGES[name].model_fields)
    return checked(STAGES[name], settings)


def _written(stage: Stage) -> dict[str, Any]:
    return {"stage": name_of(stage), **stage.model_dump(mode="json")}


AnyStage = Annotated[Stage, BeforeValidator(read_stage), PlainSerializer(_written)]


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
        If the brightness is negative or not finite, or zero everywhere; if a step
        cannot hold the dose.
    """
    electrons = expected_electrons(clean.read(), dose=noise.dose)
    step = {"step": "add noise", **noise.model_dump(mode="json")}
    truth = _expected(electrons.copy(), noise)
    noisy = _recorded(electrons, noise)
    return (
        clean.with_data(noisy, "noisy", step),
        clean.with_data(truth, "truth", step),
    )


def expected_electrons(
    brightness: Real[ndarray, "t y x"], *, dose: float
) -> Float[ndarray, "t y x"]:
    """Scale a brightness to a mean dose, in electrons per pixel per frame, float32.

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
    mean = brightness.mean(dtype=np.float64)
    if mean == 0:
        raise UnusableStack(
            "expected some brightness to add noise to, got zero everywhere"
        )
    scale = dose / mean if dose else np.float64(1)
    highest = brightness.max() * scale
    if not highest <= _LARGEST_MEAN:
        raise UnusableStack(
            f"expected at most {_LARGEST_MEAN:g} electrons in a pixel, got "
            f"{highest:.3g}; lower the dose"
        )
    electrons = np.empty(brightness.shape, np.float32)
    # The product is of float64, whatever the stack is of, and rounded once.
    np.multiply(brightness, scale, out=electrons, casting="same_kind")
    return electrons


def _expected(counts: Float[ndarray, "t y x"], noise: Noise) -> Float[ndarray, "t y x"]:
    """Give the counts that a detector shows of expected electrons on average."""
    for stage in noise.stages:
        counts = stage.expect(counts)
        refuse_overflow(counts, name_of(stage))
    return counts


def _recorded(counts: Float[ndarray, "t y x"], noise: Noise) -> Real[ndarray, "t y x"]:
    """Draw the counts that a detector shows for expected electrons."""
    recorded: Real[ndarray, "t y x"] = counts
    for stage, rng in zip(noise.stages, _streams(noise), strict=True):
        recorded = stage.record(recorded.astype(np.float32, copy=False), rng)
        refuse_overflow(recorded, name_of(stage))
    return recorded


def _streams(noise: Noise) -> Iterator[np.random.Generator]:
    """Give each stage random numbers that the other stages do not change.

    Specimens draw from the plain seed.
    """
    seen = Counter[str]()
    for stage in noise.stages:
        name = name_of(stage)
        yield np.random.default_rng([noise.seed, 1, crc32(name.encode()), seen[name]])
        seen[name] += 1
