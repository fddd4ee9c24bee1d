"""The stacks to learn from, split into what trains and what validates."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.config import Plane, Training
from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise import Measured, Source, looks_counted, measure_noise
from napari_lowdose.normalization import Normalizer
from napari_lowdose.objectives import OBJECTIVES, Fit
from napari_lowdose.planes import usable_planes

_FEWEST_FRAMES = 5


@dataclass(frozen=True)
class Example:
    """A noisy stack, of shape (t, y, x) in counts, and perhaps its truth.

    Raises
    ------
    UnusableStack
        If noisy and truth differ in shape.
    """

    noisy: Real[ndarray, "t y x"]
    truth: Real[ndarray, "_ _ _"] | None = None

    def __post_init__(self) -> None:
        if self.truth is not None and self.truth.shape != self.noisy.shape:
            raise UnusableStack(
                f"expected a truth of the noisy stack's shape {self.noisy.shape}, got "
                f"{self.truth.shape}; choose the truth that belongs to it"
            )


def paired(noisy: Sequence[ndarray], truth: Sequence[ndarray]) -> list[Example]:
    """Put each noisy stack together with its truth, or with none.

    Raises
    ------
    UnusableStack
        If there are some truths, but not one for each noisy stack.
    """
    if truth and len(truth) != len(noisy):
        raise UnusableStack(
            f"expected one truth for each of the {len(noisy)} noisy stacks, got "
            f"{len(truth)}; give all, in the same order, or none"
        )
    if not truth:
        return [Example(counts) for counts in noisy]
    return [Example(n, t) for n, t in zip(noisy, truth, strict=True)]


@dataclass(frozen=True)
class Part:
    """Frames of one example, with the normalization of its whole stack."""

    noisy: Real[ndarray, "t y x"]
    truth: Real[ndarray, "t y x"] | None
    normalizer: Normalizer


@dataclass(frozen=True)
class Split:
    """What trains and what validates; the two share no frame."""

    train: tuple[Part, ...]
    valid: tuple[Part, ...]


def split(examples: Sequence[Example], fraction: float) -> Split:
    """Hold out whole stacks, or of a single stack its last frames.

    Slices of one stack share voxels across planes, so they are never split apart.

    Raises
    ------
    UnusableStack
        If a single stack is too short to hold frames out.
    """
    parts = [Part(e.noisy, e.truth, Normalizer.fit(e.noisy)) for e in examples]
    if len(parts) > 1:
        n_valid = max(1, round(fraction * len(parts)))
        return Split(tuple(parts[:-n_valid]), tuple(parts[-n_valid:]))
    (part,) = parts
    n_frames = len(part.noisy)
    if n_frames < _FEWEST_FRAMES:
        raise UnusableStack(
            f"expected at least {_FEWEST_FRAMES} frames to train on and to validate "
            f"with, got {n_frames}; add frames, or a second stack"
        )
    cut = n_frames - max(1, round(fraction * n_frames))
    return Split((_frames(part, slice(cut)),), (_frames(part, slice(cut, None)),))


def _frames(part: Part, frames: slice) -> Part:
    truth = None if part.truth is None else part.truth[frames]
    return Part(part.noisy[frames], truth, part.normalizer)


def chosen_objective(examples: Sequence[Example], training: Training) -> str:
    """Name the objective; ``"auto"`` becomes what suits the data.

    Raises
    ------
    ValueError
        If the objective is unknown, or needs a truth that is not there.
    """
    name = training.objective
    complete = all(example.truth is not None for example in examples)
    if name == "auto":
        if complete:
            return "supervised"
        if _counted(examples, training):
            return "thinning"
        # Who tells the readout noise knows the detector: its quanta can be split.
        name = "thinning" if training.readout_std else "noise2void"
        _note_if_unsuitable(name, examples[0].noisy, training)
        return name
    if name not in OBJECTIVES:
        known = ", ".join(("auto", *OBJECTIVES))
        raise ValueError(f"objective: expected one of {known}, got {name!r}")
    if OBJECTIVES[name].needs_truth and not complete:
        raise ValueError(
            f"objective: {name} needs the truth of every noisy stack; give it, or "
            "choose auto"
        )
    return name


def _counted(examples: Sequence[Example], training: Training) -> bool:
    detector = {"gain": training.gain, "offset": training.offset}
    return all(looks_counted(example.noisy, **detector) for example in examples)


def _note_if_unsuitable(
    name: str, noisy: Real[ndarray, "t y x"], training: Training
) -> None:
    """Warn, before the work, of what the noise of a stack does to an objective."""
    try:
        measurement = measure_noise(noisy)
    except UnusableStack:
        return  # too small to tell
    if training.readout_std:  # the user knows the detector better
        measurement = replace(
            measurement,
            gain=_given(training.gain),
            offset=_given(training.offset),
            readout_std=_given(training.readout_std),
        )
    verdict = OBJECTIVES[name].verdict(measurement)
    if verdict.fit is Fit.AVOID:
        warnings.warn(
            f"without truth {name} is trained, but it should be avoided on these "
            f"data: {verdict.reason}",
            stacklevel=4,
        )


def _given(value: float) -> Measured:
    return Measured(value, value, value, Source.GIVEN)


def chosen_planes(split_: Split, training: Training) -> tuple[Plane, ...]:
    """Keep the planes that every part is long enough for."""
    shortest = min(len(part.noisy) for part in split_.train)
    return usable_planes(training.planes, shortest, training.network.depth)
