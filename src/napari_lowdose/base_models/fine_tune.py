"""A base model fitted to the stack at hand, for as long as the user allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from math import cos, pi
from time import perf_counter

import numpy as np
import torch
from jaxtyping import Real, Shaped
from numpy import ndarray
from torch import Tensor

from napari_lowdose.base_models.file import BaseFile
from napari_lowdose.config import FineTuning
from napari_lowdose.errors import UnusableStack
from napari_lowdose.networks import Arithmetic, LooksNetwork, arithmetic
from napari_lowdose.noise import (
    NoiseMeasurement,
    NoiseUnits,
    measure_noise,
    read_noise_units,
)
from napari_lowdose.objectives import OBJECTIVES, Batch, Fit, Patches
from napari_lowdose.training import Example

_FEWEST_FRAMES = 12
_VALIDATION_FRAMES = 32
_VALIDATION_PX = 96
_VALIDATION_CUBES = 3
_BETWEEN_S = 6.0  # from one validation to the next
_PATIENCE = 0.5  # of the time, without a better one
_DECAY = 0.95  # of the mean of the weights that is kept
_FIRST, _PLANES = 0.3, 0.1  # weights of the looks on the way
_LARGEST_GRADIENT = 1.0
_LAST_RATE = 0.01
_VALIDATION_SEED = 7


@dataclass(frozen=True)
class Tick:
    """How much of the time that is allowed is used up."""

    seconds: float
    total: float


@dataclass(frozen=True)
class Tuned:
    """A validation, on frames that are not trained on.

    Losses are mean squared errors against the held-out target, in units of the noise's
    variance; its own noise is in both.
    """

    step: int
    seconds: float
    loss: float
    base_loss: float
    best: bool


@dataclass(frozen=True)
class Source:
    """Frames of one stack to draw cubes from, and what is known about its noise."""

    noisy: Real[ndarray, "t y x"]
    truth: Real[ndarray, "t y x"] | None
    units: NoiseUnits

    def frames(self, part: slice) -> Source:
        """Keep some frames."""
        truth = None if self.truth is None else self.truth[part]
        return replace(self, noisy=self.noisy[part], truth=truth)


@dataclass
class FineTune:
    """A fine-tuning on its way; `best` is never worse than the base on held-out frames.

    Parameters
    ----------
    base
        What it began from.
    settings
        With the objective that was chosen.
    network
        The weights of the moment.
    notes
        Sentences that the user should read.

    References
    ----------
    Tri-directional denoising of time-series images, section 2.1 (calibration of a
    microscope by low-noise images). S. Mohan et al., GainTuning, NeurIPS 2021.
    """

    base: BaseFile
    settings: FineTuning
    network: LooksNetwork
    notes: tuple[str, ...]
    train: tuple[Source, ...]
    valid: tuple[Source, ...]
    _mean: LooksNetwork
    _best: LooksNetwork | None = None
    _told: list[Tuned] = field(default_factory=list)

    @classmethod
    def start(
        cls, base: BaseFile, examples: Sequence[Example], settings: FineTuning
    ) -> FineTune:
        """Measure the noise, choose the objective, and hold frames out.

        Raises
        ------
        UnusableStack
            If a stack has too few frames or pixels, or no contrast.
        ValueError
            If the objective is unknown, or needs a truth that is not there.
        """
        notes: dict[str, None] = {}
        train, valid, objectives = [], [], []
        for example in examples:
            source, said = _source(example, settings)
            n_held_out = _held_out(source.noisy.shape, settings)
            train.append(source.frames(slice(None, -n_held_out)))
            valid.append(source.frames(slice(-n_held_out, None)))
            objective, reason = _objective(example, source.units, settings)
            objectives.append(objective)
            notes.update(dict.fromkeys((*said, reason)))
        chosen = settings.model_copy(update={"objective": _one_of(objectives)})
        network = deepcopy(base.network)
        arithmetic(settings.compute).on_device(network)
        return cls(
            base,
            chosen,
            network,
            tuple(note for note in notes if note),
            tuple(train),
            tuple(valid),
            deepcopy(network).requires_grad_(False),
        )

    def going(self) -> Iterator[Tick | Tuned]:
        """Train until the time is over or nothing improves; leaving early is safe."""
        settings = self.settings
        how = arithmetic(settings.compute)
        self.network.requires_grad_(True)
        optimizer = torch.optim.Adam(
            self.network.parameters(), lr=settings.learning_rate
        )
        rng = np.random.default_rng(settings.seed)
        start = perf_counter()
        yield self._validated(0, 0.0, how)
        due, step = perf_counter() - start + _BETWEEN_S, 0
        while (passed := perf_counter() - start) < settings.seconds:
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * _rate(passed / settings.seconds)
            optimizer.zero_grad(set_to_none=True)
            batch = self._batch(rng)
            torch.autograd.backward(_loss(self.network, *batch, how))
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
            optimizer.step()
            step += 1
            self._remember(step)
            passed = perf_counter() - start
            yield Tick(min(passed, settings.seconds), settings.seconds)
            if passed >= due or passed >= settings.seconds:
                yield self._validated(step, passed, how)
                due = perf_counter() - start + _BETWEEN_S
                if self._stale():
                    return

    @property
    def better(self) -> bool:
        """Whether the best weights beat the base on held-out frames."""
        return self._best is not None

    def present(self) -> BaseFile:
        """Give the model as it is now."""
        return self._file(self._mean)

    def best(self) -> BaseFile:
        """Give the best model by the held-out loss; the base itself if none beat it."""
        return self.base if self._best is None else self._file(self._best)

    def _file(self, network: LooksNetwork) -> BaseFile:
        losses = [tuned.loss for tuned in self._told]
        seconds = self._told[-1].seconds if self._told else 0.0
        kept = BaseFile(deepcopy(network), self.base.header)
        return kept.noted(
            fine_tuning=self.settings,
            notes={"held-out losses": losses, "seconds": seconds},
        )

    def _validated(self, step: int, seconds: float, how: Arithmetic) -> Tuned:
        loss = self._held_out_loss(how)
        base_loss = self._told[0].loss if self._told else loss
        best = bool(self._told) and loss < min(tuned.loss for tuned in self._told)
        if best:
            self._best = deepcopy(self._mean)
        self._told.append(Tuned(step, seconds, loss, base_loss, best))
        return self._told[-1]

    def _stale(self) -> bool:
        """Tell whether nothing has been better for long."""
        best = min(self._told, key=lambda tuned: tuned.loss)
        waited = self._told[-1].seconds - best.seconds
        return waited > _PATIENCE * self.settings.seconds

    def _remember(self, step: int) -> None:
        decay = min(_DECAY, step / (step + 5))
        with torch.no_grad():
            for kept, present in zip(
                self._mean.parameters(), self.network.parameters(), strict=True
            ):
                kept.lerp_(present, 1 - decay)

    def _batch(self, rng: np.random.Generator) -> tuple[Batch, ndarray, ndarray]:
        sources = [
            self.train[n]
            for n in rng.integers(len(self.train), size=self.settings.cubes)
        ]
        shortest = min(len(source.noisy) for source in self.train)
        frames = min(self.settings.frames, shortest)
        size = self.settings.size_px
        sizes = [
            min(size, *(s.noisy.shape[axis] for s in self.train)) for axis in (1, 2)
        ]
        crops = [_crop(source, (frames, *sizes), rng) for source in sources]
        return _filled(crops, sources, self.settings, rng)

    @torch.no_grad()
    def _held_out_loss(self, how: Arithmetic) -> float:
        """Measure the loss on the same held-out cubes, with the same chance."""
        rng = np.random.default_rng([self.settings.seed, _VALIDATION_SEED])
        losses = []
        for source in self.valid:
            shape = [
                min(most, length)
                for most, length in zip(
                    (_VALIDATION_FRAMES, _VALIDATION_PX, _VALIDATION_PX),
                    source.noisy.shape,
                    strict=True,
                )
            ]
            for _ in range(_VALIDATION_CUBES):
                crop = _crop(source, (shape[0], shape[1], shape[2]), rng)
                batch = _filled([crop], [source], self.settings, rng)
                losses.append(float(_loss(self._mean, *batch, how, alone=True)))
        return float(np.mean(losses))


Crop = tuple[ndarray, ndarray | None]


def _source(example: Example, settings: FineTuning) -> tuple[Source, tuple[str, ...]]:
    """Find the noise of a stack, as told or as measured."""
    if not settings.gain:
        units, notes = read_noise_units(example.noisy)
        return Source(example.noisy, example.truth, units), notes
    units = NoiseUnits.of_detector(
        float(example.noisy.mean(dtype=np.float64)),
        gain=settings.gain,
        offset=settings.offset,
        readout_std=settings.readout_std,
    )
    return Source(example.noisy, example.truth, units), ()


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
    if settings.gain or (
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


def _crop(
    source: Source, shape: tuple[int, int, int], rng: np.random.Generator
) -> Crop:
    """Cut a cube by chance, mirrored and turned by chance."""
    corner = rng.integers(np.subtract(source.noisy.shape, shape) + 1)
    window = tuple(
        slice(int(c), int(c) + length) for c, length in zip(corner, shape, strict=True)
    )
    axes = tuple(int(axis) for axis in np.flatnonzero(rng.random(3) < 0.5))
    turned = shape[1] == shape[2] and rng.random() < 0.5

    def cut(stack: ndarray) -> ndarray:
        cube = np.flip(stack[window], axes)
        return cube.swapaxes(1, 2) if turned else cube

    return cut(source.noisy), None if source.truth is None else cut(source.truth)


def _filled(
    crops: Sequence[Crop],
    sources: Sequence[Source],
    settings: FineTuning,
    rng: np.random.Generator,
) -> tuple[Batch, ndarray, ndarray]:
    """Let the objective fill cubes, each as one patch of frames under one another.

    Gives the batch as cubes (b, t, y, x), with each cube's slope and by how much its
    noise is larger than the stack's.
    """
    shape = crops[0][0].shape
    tall = (-1, shape[2])
    parts = []
    for (noisy, truth), source in zip(crops, sources, strict=True):
        units = source.units
        patches = Patches(
            noisy.reshape(tall)[None],
            None if truth is None else truth.reshape(tall)[None],
            mean=np.full((1, 1, 1), units.mean),
            std=np.full((1, 1, 1), units.std),
            gain=units.gain or 1.0,
            offset=units.offset,
            readout_std=units.readout_std,
        )
        parts.append(OBJECTIVES[settings.objective].fill(patches, rng))

    def cubes(name: str) -> Shaped[ndarray, "b t y x"]:
        return np.concatenate([getattr(p, name) for p in parts]).reshape(-1, *shape)

    masked = parts[0].mask is not None
    batch = Batch(cubes("input"), cubes("target"), cubes("mask") if masked else None)
    slopes = np.array([source.units.slope for source in sources], np.float32)
    growth = np.concatenate([np.broadcast_to(p.input_noise, 1) for p in parts]).astype(
        np.float32
    )
    return batch, slopes.reshape(-1, 1, 1, 1), growth.reshape(-1, 1, 1, 1)


def _loss(
    network: LooksNetwork,
    batch: Batch,
    slopes: ndarray,
    growth: ndarray,
    how: Arithmetic,
    *,
    alone: bool = False,
) -> Tensor:
    """Mean squared error of fused and, unless it is wanted alone, of what led to it."""
    larger = torch.from_numpy(growth).to(how.device)
    slope = torch.from_numpy(slopes).to(how.device) * larger
    noisy = torch.from_numpy(batch.input).to(how.device) / larger
    target = torch.from_numpy(batch.target).to(how.device)
    mask = None if batch.mask is None else torch.from_numpy(batch.mask).to(how.device)
    with how.autocast():
        first, second = network(noisy, slope)

    # A smaller part of the counts makes a noisier target, which counts less.
    sure = 1 - larger**-2 if bool((larger > 1).all()) else torch.ones_like(larger)

    def error(estimate: Tensor) -> Tensor:
        squared = sure * (estimate * larger - target).square()
        return squared.mean() if mask is None else squared[mask].mean()

    if alone:
        return error(second.fused)
    planes = [*first.estimates.values(), *second.estimates.values()]
    by_plane = torch.stack([error(estimate) for estimate in planes]).mean()
    return error(second.fused) + _FIRST * error(first.fused) + _PLANES * by_plane


def _rate(share: float) -> float:
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + cos(pi * min(share, 1.0))) / 2
