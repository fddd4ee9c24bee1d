"""The training loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from time import perf_counter

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor, nn

from napari_lowdose.config import Plane, Schedule, Training
from napari_lowdose.denoiser import predict
from napari_lowdose.errors import OutOfMemory
from napari_lowdose.networks import Arithmetic, arithmetic
from napari_lowdose.noise import noise_share
from napari_lowdose.objectives import OBJECTIVES, Batch
from napari_lowdose.planes import slices, unslice
from napari_lowdose.training.examples import (
    Example,
    Part,
    Split,
    chosen_objective,
    chosen_planes,
    split,
)
from napari_lowdose.training.patches import (
    block_of,
    draw,
    steps_per_epoch,
    validation,
)
from napari_lowdose.training.run import PlaneRun, TrainingRun

_LAST_RATE = 0.01  # of the first, at the end of a cosine schedule
_LARGEST_GRADIENT = 1.0
_VALIDATION_SEED = 7


@dataclass(frozen=True)
class Step:
    """One training step is done, `done` of `total` in the whole run."""

    done: int
    total: int


@dataclass(frozen=True)
class Epoch:
    """A round of training steps and its validation.

    Losses are mean squared errors of normalized values, by plane.
    """

    index: int
    train_loss: Mapping[Plane, float]
    valid_loss: Mapping[Plane, float]
    seconds: float


def prepare(
    examples: Sequence[Example], training: Training
) -> tuple[TrainingRun, Split]:
    """Split the examples and begin a run that suits them.

    Raises
    ------
    UnusableStack, ValueError
        If the examples are too short, without contrast, or lack a needed truth.
    """
    objective = chosen_objective(examples, training)
    parts = split(examples, training.validation_fraction)
    settings = training.model_copy(update={"objective": objective})
    planes = chosen_planes(parts, settings)
    first = parts.train[0].normalizer
    share = noise_share(examples[0].noisy)
    return TrainingRun.start(settings, planes, first, share), parts


def fit(run: TrainingRun, parts: Split) -> Iterator[Epoch]:
    """Train until the run's last epoch; `run` holds the best weights at any time.

    Examples
    --------
    >>> from napari_lowdose.config import Training
    >>> from napari_lowdose.noise import Noise, add_noise
    >>> from napari_lowdose.specimens import SPECIMENS, Catalyst
    >>> from napari_lowdose.training import Example, fit, prepare
    >>> clean = SPECIMENS["catalyst"].render(Catalyst(frames=16, size=32)).stack
    >>> noisy, truth = add_noise(clean, Noise())
    >>> training = Training(epochs=1, steps_per_epoch=1)
    >>> run, parts = prepare([Example(noisy.read(), truth.read())], training)
    >>> [epoch.index for epoch in fit(run, parts)]
    [0]
    """
    return (event for event in fitting(run, parts) if isinstance(event, Epoch))


def fitting(run: TrainingRun, parts: Split) -> Iterator[Step | Epoch]:
    """Train like `fit`, also telling each step; leaving early is safe.

    Raises
    ------
    OutOfMemory
        If a batch does not fit on the device.
    """
    training = run.training
    how = arithmetic(training.compute)
    n_steps = {p: steps_per_epoch(parts.train, p, training) for p in run.planes}
    total = training.epochs * sum(n_steps.values())
    while run.epoch < training.epochs:
        start = perf_counter()
        done = run.epoch * sum(n_steps.values())
        train_loss, valid_loss = {}, {}
        for plane, state in run.planes.items():
            losses = []
            for number in range(n_steps[plane]):
                progress = (run.epoch + number / n_steps[plane]) / training.epochs
                _set_rate(state.optimizer, training, progress)
                batch = _batch(run, parts.train, plane)
                losses.append(_step(state, batch, how))
                done += 1
                yield Step(done, total)
            train_loss[plane] = float(np.mean(losses))
            valid_loss[plane] = validate(state.network, parts.valid, plane, training)
        for plane, loss in valid_loss.items():
            run.planes[plane].remember(loss)
        run.epoch += 1
        if run.epoch == training.epochs and len(run.planes) > 1:
            run.covariance = error_covariance(run, parts.valid)
        yield Epoch(run.epoch - 1, train_loss, valid_loss, perf_counter() - start)


def _batch(run: TrainingRun, parts: Sequence[Part], plane: Plane) -> Batch:
    patches = draw(parts, plane, run.training, run.rng)
    return OBJECTIVES[run.training.objective].fill(patches, run.rng)


def _set_rate(optimizer: torch.optim.Adam, training: Training, progress: float) -> None:
    """Set the learning rate for a progress from 0 to 1 of the run."""
    share = 1.0
    if training.schedule is Schedule.COSINE:
        share = _LAST_RATE + (1 - _LAST_RATE) * (1 + cos(pi * progress)) / 2
    for group in optimizer.param_groups:
        group["lr"] = share * training.learning_rate


def _step(state: PlaneRun, batch: Batch, how: Arithmetic) -> float:
    """Move the weights once; give the loss before."""
    state.network.train()
    state.optimizer.zero_grad(set_to_none=True)
    try:
        loss = _loss(state.network, batch, how)
        torch.autograd.backward(state.scaler.scale(loss))
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"a batch of {len(batch.input)} patches does not fit on {how.device}; "
            "choose a smaller batch, patch or width"
        ) from error
    state.scaler.unscale_(state.optimizer)
    nn.utils.clip_grad_norm_(state.network.parameters(), _LARGEST_GRADIENT)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    return float(loss.detach())


def _loss(network: nn.Module, batch: Batch, how: Arithmetic) -> Tensor:
    """Mean squared error, in float32, over the pixels that count."""
    images = how.on_device(torch.from_numpy(batch.input)[:, None])
    target = torch.from_numpy(batch.target).to(how.device)
    with how.autocast():
        estimate = network(images)
    error: Tensor = (estimate.float()[:, 0] - target).square()
    if batch.mask is None:
        return error.mean()
    return error[torch.from_numpy(batch.mask).to(how.device)].mean()


@torch.no_grad()
def validate(
    network: nn.Module, parts: Sequence[Part], plane: Plane, training: Training
) -> float:
    """Measure the loss on held-out slices, with the same chance every time."""
    rng = np.random.default_rng([training.seed, _VALIDATION_SEED])
    how = arithmetic(training.compute)
    fill = OBJECTIVES[training.objective].fill
    network.eval()
    losses, weights = [], []
    for patches in validation(parts, plane, training):
        batch = fill(patches, rng)
        losses.append(float(_loss(network, batch, how)))
        weights.append(batch.input.size)
    return float(np.average(losses, weights=weights))


@torch.no_grad()
def error_covariance(run: TrainingRun, parts: Sequence[Part]) -> ndarray:
    """Measure on held-out voxels how the planes' errors go together.

    The target's own noise adds the same number to every entry, which changes no weight
    that the covariance gives.
    """
    training = run.training
    rng = np.random.default_rng([training.seed, _VALIDATION_SEED])
    products = np.zeros((len(run.planes), len(run.planes)))
    for part in parts:
        block = block_of(part, training)
        batch = OBJECTIVES[training.objective].fill(block, rng)
        errors = []
        for plane, state in run.planes.items():
            images = np.ascontiguousarray(slices(batch.input, plane))
            state.network.eval()
            estimate = predict(state.network, images, training.compute)
            error = unslice(estimate, plane) - batch.target
            errors.append(error[batch.mask] if batch.mask is not None else error)
        flat = np.stack([error.ravel() for error in errors]).astype(np.float64)
        products += flat @ flat.T / flat.shape[1]
    return products / len(parts)
