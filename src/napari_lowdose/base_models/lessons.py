"""What a stack itself can teach: noisy cubes with a target, drawn again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Real, Shaped
from numpy import ndarray

from napari_lowdose.base_models.cubes import Cubes, crop, joined
from napari_lowdose.base_models.prepared import Prepared
from napari_lowdose.classical.wiener import denoise_wiener
from napari_lowdose.config import FineTuning
from napari_lowdose.errors import UnusableStack
from napari_lowdose.networks.traits import traits_of, windows_of
from napari_lowdose.noise import (
    INDEPENDENT,
    NoiseMeasurement,
    NoiseUnits,
    Reading,
    SharedNoise,
    evened,
    measure_noise,
)
from napari_lowdose.objectives import OBJECTIVES, Fit, Patches
from napari_lowdose.training import Example

_FEWEST_FRAMES = 12
# Cubes are cut from windows, which the Wiener filter sees whole.
_WINDOW = (64, 160, 160)
_WINDOWS = 4
_USES = 8  # of a window before it is filled anew
_VALIDATION_SHAPE = (32, 96, 96)
_VALIDATION_CUBES = 3
_VALIDATION_SEED = 7
_STILL_SHARED = (
    "Neighbouring pixels may still share a little noise, which a fine-tuning without a "
    "reference can learn and its held-out loss does not see: compare its result with "
    "that of the base model."
)


@dataclass(frozen=True)
class Source:
    """A stack to draw from, what is known about its noise, and what is held out.

    Parameters
    ----------
    noisy, truth
        Counts; the truth may be absent.
    units
        Of its noise.
    held_out
        Frames at the end that are not trained on.
    shared
        How voxels shared noise, before it was made independent.
    """

    noisy: Real[ndarray, "t y x"]
    truth: Real[ndarray, "t y x"] | None
    units: NoiseUnits
    held_out: int
    shared: SharedNoise = INDEPENDENT

    @property
    def n_train(self) -> int:
        """Frames that are trained on."""
        return len(self.noisy) - self.held_out


@dataclass(frozen=True)
class Lessons:
    """What to learn on, by which objective, and what the user should read about it."""

    sources: tuple[Source, ...]
    settings: FineTuning
    notes: tuple[str, ...]

    @classmethod
    def of(cls, examples: Sequence[Example], settings: FineTuning) -> Lessons:
        """Measure the noise, choose the objective, and hold frames out.

        Noise that rows or columns share is taken off first, and what voxels share made
        independent, as the denoiser will do: networks would learn it. Bad input is
        refused as `FineTune.start` tells.
        """
        notes: dict[str, None] = {}
        sources, objectives = [], []
        for recorded in examples:
            prepared = Prepared.of(recorded.noisy)
            example = _on_its_course(recorded, prepared)
            source = _source(example, prepared.reading, settings)
            objective, reason = _objective(example, source.units, settings)
            sources.append(source)
            objectives.append(objective)
            said = prepared.done if settings.detector.gain else prepared.notes
            notes.update(dict.fromkeys((*said, reason)))
            if source.shared.neighbours is not None and objective != "supervised":
                notes[_STILL_SHARED] = None
        chosen = settings.model_copy(update={"objective": _one_of(objectives)})
        return cls(tuple(sources), chosen, tuple(note for note in notes if note))

    def window(self, source: Source, rng: np.random.Generator) -> Cubes:
        """Fill a window of frames that are trained on."""
        return self._filled(source, slice(0, source.n_train), rng)

    def held_out(self) -> list[Cubes]:
        """Fill cubes of held-out frames, each time by the same chance."""
        rng = np.random.default_rng([self.settings.seed, _VALIDATION_SEED])
        return [
            self._of_held_out(source, rng)
            for source in self.sources
            for _ in range(_VALIDATION_CUBES)
        ]

    def _of_held_out(self, source: Source, rng: np.random.Generator) -> Cubes:
        """Fill the last frames; what the Wiener filter sees begins before them."""
        last = slice(max(0, len(source.noisy) - _WINDOW[0]), None)
        window = self._filled(source, last, rng)
        held_out = window.frames(max(0, window.noisy.shape[1] - source.held_out))
        sizes = zip(held_out.noisy.shape[1:], _VALIDATION_SHAPE, strict=True)
        frames, height, width = (min(pair) for pair in sizes)
        return crop(held_out, rng, (frames, height, width))

    def _filled(self, source: Source, frames: slice, rng: np.random.Generator) -> Cubes:
        """Let the objective fill a window, as one patch of frames under one another."""
        noisy = source.noisy[frames]
        shape = np.minimum(noisy.shape, _WINDOW)
        corner = rng.integers(np.subtract(noisy.shape, shape) + 1)
        window = tuple(
            slice(int(start), int(start + length))
            for start, length in zip(corner, shape, strict=True)
        )

        def tall(stack: Real[ndarray, "t y x"]) -> Real[ndarray, "1 h x"]:
            part: ndarray = stack[frames][window]
            return part.reshape(1, -1, part.shape[2])

        units = source.units
        patches = Patches(
            tall(source.noisy),
            None if source.truth is None else tall(source.truth),
            mean=np.full((1, 1, 1), units.mean),
            std=np.full((1, 1, 1), units.std),
            gain=units.gain or 1.0,
            offset=units.offset,
            readout_std=units.readout_std,
        )
        batch = OBJECTIVES[self.settings.objective].fill(patches, rng)
        # A part of the counts is noisier than all of them.
        growth = float(np.ravel(batch.input_noise)[0])

        def cube(part: Shaped[ndarray, "1 h x"]) -> Shaped[ndarray, "t y x"]:
            return part.reshape(tuple(shape))

        noisy = cube(batch.input) / np.float32(growth)
        hidden = batch.mask
        mask = None if hidden is None else torch.from_numpy(cube(hidden))[None]
        return Cubes(
            torch.from_numpy(noisy)[None],
            torch.from_numpy(cube(batch.target) / np.float32(growth))[None],
            torch.from_numpy(denoise_wiener(noisy))[None],
            torch.full((1, 1, 1, 1), units.slope * growth),
            traits_of(windows_of(noisy), units.slope * growth)[None],
            # The larger the input's part, the noisier the target: it counts less.
            weight=torch.full((1, 1, 1, 1), growth**2 - 1 if growth > 1 else 1.0),
            mask=mask,
        )


class WindowPool:
    """The filled windows of the moment; crops are drawn from them, and they change."""

    def __init__(self, lessons: Lessons, rng: np.random.Generator) -> None:
        self._lessons, self._rng = lessons, rng
        self._windows = [self._filled() for _ in range(_WINDOWS)]
        self._uses = 0

    def draw(self) -> Cubes:
        """Draw as many cubes as the settings say, of a size that all stacks have."""
        settings = self._lessons.settings
        wanted = (settings.frames, settings.size_px, settings.size_px)
        shapes = [window.noisy.shape[1:] for window in self._windows]
        frames, height, width = (min(n) for n in zip(wanted, *shapes, strict=True))
        chosen = self._rng.integers(_WINDOWS, size=settings.cubes)
        cubes = [
            crop(self._windows[n], self._rng, (frames, height, width)) for n in chosen
        ]
        for _ in cubes:
            self._uses += 1
            if self._uses % _USES == 0:
                self._windows[self._uses // _USES % _WINDOWS] = self._filled()
        return joined(cubes)

    def _filled(self) -> Cubes:
        sources = self._lessons.sources
        source = sources[int(self._rng.integers(len(sources)))]
        return self._lessons.window(source, self._rng)


def _on_its_course(recorded: Example, prepared: Prepared) -> Example:
    """Have the truth run the course of a stack whose noise was made independent."""
    truth, reading = recorded.truth, prepared.reading
    if truth is not None and reading.shared:
        truth = evened(truth, reading.shared.of_truth(), reading.units.mean)
    return replace(recorded, noisy=prepared.even, truth=truth)


def _source(example: Example, reading: Reading, settings: FineTuning) -> Source:
    """Find the noise of a stack, as told or as measured."""
    detector, units = settings.detector, reading.units
    if detector.gain:
        units = NoiseUnits.of_detector(
            float(example.noisy.mean(dtype=np.float64)),
            gain=detector.gain,
            offset=detector.offset,
            readout_std=detector.readout_std,
        )
    held_out = _held_out(example.noisy.shape, settings)
    return Source(example.noisy, example.truth, units, held_out, reading.shared)


def _held_out(shape: tuple[int, ...], settings: FineTuning) -> int:
    if shape[0] < _FEWEST_FRAMES:
        raise UnusableStack(
            f"expected at least {_FEWEST_FRAMES} frames to fine-tune on and to hold "
            f"some out, got {shape[0]}; use the base model as it is"
        )
    return max(4, round(settings.validation_fraction * shape[0]))


def _objective(
    example: Example, units: NoiseUnits, settings: FineTuning
) -> tuple[str, str]:
    """Choose what a stack can teach; say why."""
    name = settings.objective
    if name not in ("auto", *OBJECTIVES):
        known = ", ".join(("auto", *OBJECTIVES))
        raise ValueError(f"objective: expected one of {known}, got {name!r}")
    if name == "supervised" and example.truth is None:
        raise ValueError(
            "objective: supervised needs a reference of every stack; give it, or "
            "choose auto"
        )
    if name != "auto":
        return name, ""
    if example.truth is not None:
        return "supervised", ""
    measurement = _measured(example.noisy)
    if settings.detector.gain or (
        measurement is not None
        and OBJECTIVES["thinning"].verdict(measurement).fit is Fit.SUITS
        and units.gain > 0
    ):
        return "thinning", ""
    verdict = (
        None if measurement is None else OBJECTIVES["noise2void"].verdict(measurement)
    )
    if verdict is not None and verdict.fit is Fit.AVOID:
        return "noise2void", (
            f"fine-tuning by hidden pixels should be avoided on these data: "
            f"{verdict.reason}"
        )
    return "noise2void", ""


def _measured(noisy: Real[ndarray, "t y x"]) -> NoiseMeasurement | None:
    try:
        return measure_noise(noisy)
    except UnusableStack:
        return None  # too small to tell


def _one_of(objectives: Sequence[str]) -> str:
    """Take the objective that suits all stacks: that which asks least of them."""
    for name in ("noise2void", "thinning", "supervised"):
        if name in objectives:
            return name
    raise ValueError("expected at least one stack to fine-tune on, got none")
