"""Training the networks of a base model on cubes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_lowdose.base_models.cubes import Cubes
from napari_lowdose.base_models.file import BaseFile, BaseHeader
from napari_lowdose.base_models.movies import MoviePool
from napari_lowdose.config import BaseTraining
from napari_lowdose.networks import Arithmetic, LooksNetwork, arithmetic
from napari_lowdose.networks.looks import Seen

# In units of the noise's variance; below this, an error counts no more.
_SMALLEST_ERROR = 1e-4
_FIRST, _PLANES = 0.5, 0.6  # weights of the looks on the way
_LEASH = 0.1  # on weights and shares that no longer change
_WARM_UP = 50
_LAST_RATE = 0.01
_LATER = 0.5  # of the learning rate, once the networks stand
_LARGEST_GRADIENT = 1.0
# Crops differ in shape: large ones show slow changes, many small ones more movies.
_FRAMES, _SIZES_PX = (12, 24, 36), (32, 48, 64, 80)
_UNTOLD = 0.1  # share of the movies whose traits are hidden
_DECAY = 0.998  # of the mean of the weights that is kept
_VALIDATION_SEED = 7
_VALIDATION_CUBES = 24


@dataclass(frozen=True)
class BaseStep:
    """A training step: its number, and mean errors in decibels of the noise."""

    done: int
    total: int
    fused_db: float
    xy_db: float


@dataclass
class BaseRun:
    """A base model on its way: present weights, and their mean, which is kept."""

    training: BaseTraining
    network: LooksNetwork
    mean: LooksNetwork
    done: int = 0

    @classmethod
    def start(cls, training: BaseTraining) -> BaseRun:
        """Begin with weights that follow from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            network = LooksNetwork(training.network)
        arithmetic(training.compute).on_device(network)
        return cls(training, network, deepcopy(network).requires_grad_(False))

    @classmethod
    def after(cls, base: BaseFile, training: BaseTraining) -> BaseRun:
        """Go on where the training of a model ended.

        Raises
        ------
        ValueError
            If its networks are of another shape, or its steps have all been taken.
        """
        if base.network.settings != training.network:
            raise ValueError(
                f"network: expected the model's own, {base.network.settings}, to go on "
                f"from it, got {training.network}"
            )
        done = base.header.steps
        if done >= training.steps:
            raise ValueError(
                f"steps: expected more than the {done} that the model has been "
                f"trained for, got {training.steps}"
            )
        network = deepcopy(base.network).requires_grad_(True)
        if done > base.header.training.steps_alone:
            network.take_less_of_wiener(-base.header.training.reluctance)
        arithmetic(training.compute).on_device(network)
        return cls(training, network, deepcopy(network).requires_grad_(False), done)

    def begin_at_mean(self) -> None:
        """Go on from the mean of the weights."""
        self.network.load_state_dict(self.mean.state_dict())

    def remember(self, number: int) -> None:
        """Move the mean of the weights towards the present ones."""
        decay = min(_DECAY, (1 + number) / (10 + number))
        with torch.no_grad():
            for kept, present in zip(
                self.mean.parameters(), self.network.parameters(), strict=True
            ):
                kept.lerp_(present, 1 - decay)


def fitting_base(run: BaseRun) -> Iterator[BaseStep]:
    """Train on movies that are simulated meanwhile; leaving early is safe.

    At first the networks do without the Wiener filter's estimate: if they see it from
    the start they lean on it, and learn less. In the end they are told the traits of
    each movie, in some rounds; to each they come with the mean weights of all that was
    before.
    """
    training = run.training
    pool = None
    for part in _parts(training):
        if part.stop <= run.done:
            continue
        told = part.start >= training.steps_untold
        if told or pool is None:
            # Who goes on amid a round has seen the movies that it began with.
            first = max(part.start, run.done)
            rng = np.random.default_rng([training.seed, first])
            pool = MoviePool(training.movies, training.seed, _doses(training), first)
            run.begin_at_mean()
        optimizer = torch.optim.Adam(run.network.parameters())
        for number in part:
            if number < run.done:
                continue
            rate = training.learning_rate * _rate(number - part.start, len(part))
            for group in optimizer.param_groups:
                group["lr"] = rate * (_LATER if part.start else 1)
            cubes = pool.draw(rng, *_shape(training, rng))
            cubes = _partly_told(cubes, rng) if told else replace(cubes, traits=None)
            if part.start < training.steps_alone:
                cubes = replace(cubes, wiener=None)
            fused, xy = _step(run, optimizer, cubes)
            yield BaseStep(run.done, training.steps, _db(fused), _db(xy))


def _parts(training: BaseTraining) -> list[range]:
    """Cut the steps where what the networks are shown changes, and into rounds."""
    untold = min(training.steps_untold, training.steps)
    rounds = np.linspace(untold, training.steps, training.rounds + 1).round()
    ends = (min(training.steps_alone, untold), *map(int, rounds))
    cuts = sorted({0, *ends})
    return [range(*pair) for pair in pairwise(cuts)]


def _partly_told(cubes: Cubes, rng: np.random.Generator) -> Cubes:
    """Hide some movies' traits, as those of movies of few frames are."""
    assert cubes.traits is not None
    told = torch.from_numpy(rng.random((len(cubes.traits), 1)) >= _UNTOLD)
    return replace(cubes, traits=cubes.traits * told)


def _step(
    run: BaseRun, optimizer: torch.optim.Optimizer, cubes: Cubes
) -> tuple[Tensor, Tensor]:
    optimizer.zero_grad(set_to_none=True)
    loss, fused, xy = _losses(run, cubes, arithmetic(run.training.compute))
    torch.autograd.backward(loss)
    # One by one: what goes wrong in one of them is not to slow down the others.
    for network in run.network.parts:
        nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
    run.remember(run.done)
    run.done += 1
    return fused, xy


def _shape(training: BaseTraining, rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw how many crops, of how many frames and pixels."""
    frames, size_px = int(rng.choice(_FRAMES)), int(rng.choice(_SIZES_PX))
    n_cubes = round(training.voxels / (frames * size_px**2))
    return min(max(n_cubes, 1), training.movies), frames, size_px


def finished(run: BaseRun, steps: int, notes: Mapping[str, Any]) -> BaseFile:
    """Give the model as it is now, with how its directions' errors go together.

    What counts in training are logarithms of errors, so that the emptiest cubes, where
    the Wiener filter is best, have the largest gradients: the networks end up taking
    too much of its estimate elsewhere. That much is taken back.
    """
    header = BaseHeader(
        training=run.training,
        steps=steps,
        covariance=_covariance(run),
        notes={**notes, **arithmetic(run.training.compute).described()},
    )
    network = deepcopy(run.mean)
    if steps > run.training.steps_alone:
        network.take_less_of_wiener(run.training.reluctance)
    return BaseFile(network, header)


@torch.no_grad()
def _covariance(run: BaseRun) -> tuple[tuple[float, ...], ...]:
    """Measure the directions' errors on movies that are not trained on.

    All cubes count alike: each one's covariance is divided by its mean variance.
    """
    training = run.training
    how = arithmetic(training.compute)
    rng = np.random.default_rng([training.seed, _VALIDATION_SEED])
    pool = MoviePool(_VALIDATION_CUBES, training.seed + 1, _doses(training))
    shares = []
    for _ in range(_VALIDATION_CUBES):
        cubes = pool.draw(rng, 1, max(_FRAMES), _SIZES_PX[1]).on(how.device)
        first, _ = run.mean(*cubes.shown)
        estimates = torch.stack(tuple(first.estimates.values()))
        errors = (estimates - cubes.truth).flatten(1).cpu().double()
        covariance = (errors @ errors.T).numpy()
        shares.append(covariance / np.trace(covariance))
    return tuple(tuple(float(v) for v in row) for row in np.mean(shares, axis=0))


def _doses(training: BaseTraining) -> tuple[float, float]:
    return training.least_dose, training.greatest_dose


def _rate(number: int, steps: int) -> float:
    """Warm up, then fall along half a cosine."""
    warm = min(1.0, (number + 1) / _WARM_UP)
    return warm * (_LAST_RATE + (1 - _LAST_RATE) * (1 + cos(pi * number / steps)) / 2)


def _losses(
    run: BaseRun, cubes: Cubes, how: Arithmetic
) -> tuple[Tensor, Tensor, Tensor]:
    """Give what is to become small, and the errors of fused and of x-y alone."""
    cubes = cubes.on(how.device)
    truth = cubes.truth
    with how.autocast():
        first, second = run.network(*cubes.shown)
    fused = _error(second.fused, truth)
    xy, *others = _errors(first, truth)
    parts = (
        (1.0, [fused]),
        (_FIRST, [_error(first.fused, truth)]),
        (_PLANES, [xy, *others]),
        (_PLANES, _errors(second, truth)),
    )
    power = run.training.power
    loss = sum(
        (weight * _cost(torch.stack(errors), power).mean() for weight, errors in parts),
        _LEASH * (first.excess + second.excess),
    )
    return loss, fused.detach(), xy.detach()


def _errors(seen: Seen, truth: Tensor) -> list[Tensor]:
    return [_error(estimate, truth) for estimate in seen.estimates.values()]


def _error(estimate: Tensor, truth: Tensor) -> Tensor:
    """Take each cube's mean squared error."""
    return (estimate - truth).square().mean((1, 2, 3)) + _SMALLEST_ERROR


def _cost(errors: Tensor, power: float) -> Tensor:
    """Weigh errors of all doses against one another.

    By their logarithms, halving any is worth the same, and the emptiest cubes have the
    largest gradients; by their roots, all cubes have gradients of the same length.
    """
    return errors.pow(power) / power if power else errors.log()


def _db(errors: Tensor) -> float:
    return 10 * float(errors.log10().mean())
