"""A base model fitted to the stack at hand, for as long as the user allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import cos, pi
from time import perf_counter

import numpy as np
import torch
from jaxtyping import Float64
from numpy import ndarray
from torch import Tensor

from napari_lowdose.base_models.cubes import Cubes
from napari_lowdose.base_models.file import BaseFile
from napari_lowdose.base_models.lessons import Lessons, WindowPool
from napari_lowdose.config import FineTuning
from napari_lowdose.networks import Arithmetic, LooksNetwork, arithmetic
from napari_lowdose.training import Example

_BETWEEN_S = 6.0  # from one validation to the next
# Of the time, without a better one: steps become small, and the best comes, in the end.
_PATIENCE = 0.8
_DECAY = 0.985  # of the mean of the weights that is kept
_FIRST, _PLANES = 0.3, 0.1  # weights of the looks on the way
_LARGEST_GRADIENT = 1.0
_LAST_RATE = 0.1
_LAST_LOSSES = 4  # that are measured when the time is over
_SIGMAS = 1.0  # of a difference's chance, by which a loss is higher than another


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


@dataclass
class FineTune:
    """A fine-tuning on its way; `best` is never worse than the base on held-out frames.

    Parameters
    ----------
    base
        What it began from.
    lessons
        What it learns on.
    network
        The weights of the moment.

    References
    ----------
    Tri-directional denoising of time-series images, section 2.1 (calibration of a
    microscope by low-noise images). S. Mohan et al., GainTuning, NeurIPS 2021.
    """

    base: BaseFile
    lessons: Lessons
    network: LooksNetwork
    _mean: LooksNetwork
    _held_out: Sequence[Cubes]
    _base_losses: Float64[ndarray, " n"] | None = None
    _lowest: Float64[ndarray, " n"] = field(default_factory=lambda: np.zeros(0))
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
        lessons = Lessons.of(examples, settings)
        network = deepcopy(base.network)
        arithmetic(settings.compute).on_device(network)
        mean = deepcopy(network).requires_grad_(False)
        return cls(base, lessons, network, mean, lessons.held_out())

    @property
    def settings(self) -> FineTuning:
        """With the objective that was chosen."""
        return self.lessons.settings

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that the user should read."""
        return self.lessons.notes

    def going(self) -> Iterator[Tick | Tuned]:
        """Train until the time is over or nothing improves; leaving early is safe.

        One step is always made, and the last one is always followed by a validation.
        """
        settings = self.settings
        how = arithmetic(settings.compute)
        self.network.requires_grad_(True)
        optimizer = torch.optim.Adam(
            self.network.parameters(), lr=settings.learning_rate, fused=how.fuses
        )
        start = perf_counter()
        pool = WindowPool(self.lessons, np.random.default_rng(settings.seed))
        begun = perf_counter()
        yield self._validated(0, 0.0, how)
        # In the end as much is done as so often takes.
        most = settings.seconds - _LAST_LOSSES * (perf_counter() - begun)
        passed, step, over = perf_counter() - start, 0, False
        due = passed + _BETWEEN_S
        while not over:
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * _rate(passed, most)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(_loss(self.network, pool.draw(), how))
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
            optimizer.step()
            step += 1
            self._remember(step)
            passed = perf_counter() - start
            over = passed >= most
            yield Tick(min(passed, settings.seconds), settings.seconds)
            if over or passed >= due:
                yield self._validated(step, passed, how)
                passed = perf_counter() - start
                due = passed + _BETWEEN_S
                over = over or passed >= most or self._stale()
        if self._best is not None:
            self._go_back(self._best, how)
            yield self._validated(step, perf_counter() - start, how)

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
        losses = self._held_out_losses(how)
        if self._base_losses is None:
            self._base_losses = self._lowest = losses
        loss, base_loss = (float(a.mean()) for a in (losses, self._base_losses))
        if loss < self._lowest.mean():
            self._lowest = losses
        # Of what cannot be told apart the latest is taken: it has learned most, and the
        # lowest of many losses is low by chance.
        best = loss < base_loss and not _is_worse(losses, self._lowest)
        if best:
            self._best = deepcopy(self._mean)
        self._told.append(Tuned(step, seconds, loss, base_loss, best))
        return self._told[-1]

    @torch.no_grad()
    def _go_back(self, best: LooksNetwork, how: Arithmetic) -> None:
        """Go back from the best towards the base, as far as held-out frames want.

        On the way networks also learn the noise that they see. The loss on frames that
        they have not seen is nearly a parabola along the way, if that is short: its
        lowest point tells how much of the way is worth going.
        """
        assert self._base_losses is not None

        def loss_at(share: float) -> float:
            self._stand_at(share, best)
            return float(self._held_out_losses(how).mean())

        seen = {share: loss_at(share) for share in (0.5, 1.0)}
        lowest = _lowest_point(float(self._base_losses.mean()), *seen.values())
        if lowest not in seen:
            seen[lowest] = loss_at(lowest)
        self._stand_at(min(seen, key=seen.__getitem__), best)

    def _stand_at(self, share: float, best: LooksNetwork) -> None:
        """Go part of the way from the base to the best weights."""
        for mean, base, other in zip(
            *(n.parameters() for n in (self._mean, self.base.network, best)),
            strict=True,
        ):
            mean.copy_(base.to(mean.device)).lerp_(other, share)

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

    @torch.no_grad()
    def _held_out_losses(self, how: Arithmetic) -> Float64[ndarray, " n"]:
        """Measure the loss on each frame of the same held-out cubes, by one chance."""
        losses = []
        for cubes in (held_out.on(how.device) for held_out in self._held_out):
            with how.autocast():
                _, last = self._mean(*cubes.shown)
            squared = _squared_error(last.fused, cubes)
            n = len(squared) * squared.shape[1]
            wanted = torch.ones_like(squared) if cubes.mask is None else cubes.mask
            # Not every device has double precision; a frame's sum does without.
            sums = (squared * wanted).reshape(n, -1).sum(1)
            # Of as many voxels as a frame has on average.
            losses.append((sums / (wanted.sum() / n)).cpu().double())
        return torch.cat(losses).numpy()


def _lowest_point(none: float, half: float, whole: float) -> float:
    """Find where a parabola through the losses at 0, 1/2 and 1 is lowest, up to 1."""
    curved = 2 * (none - 2 * half + whole)
    falling = none - whole + curved
    return min(falling / (2 * curved), 1.0) if curved > 0 < falling else 1.0


def _is_worse(losses: Float64[ndarray, " n"], lowest: Float64[ndarray, " n"]) -> bool:
    """Tell whether a loss is higher than another by more than chance.

    Both hold the noise of the same targets, most of which is not in their difference;
    what of it is left is independent from frame to frame.
    """
    more = losses - lowest
    std = float(more.std()) / len(more) ** 0.5
    return bool(more.mean() > _SIGMAS * std)


def _squared_error(estimate: Tensor, cubes: Cubes) -> Tensor:
    squared = (estimate - cubes.truth).square()
    return squared if cubes.weight is None else cubes.weight * squared


def _loss(network: LooksNetwork, cubes: Cubes, how: Arithmetic) -> Tensor:
    """Mean squared error of fused and, with less weight, of what led to it."""
    cubes = cubes.on(how.device)
    with how.autocast():
        first, second = network(*cubes.shown)

    def error(estimate: Tensor) -> Tensor:
        squared = _squared_error(estimate, cubes)
        return squared.mean() if cubes.mask is None else squared[cubes.mask].mean()

    planes = [*first.estimates.values(), *second.estimates.values()]
    by_plane = torch.stack([error(estimate) for estimate in planes]).mean()
    return error(second.fused) + _FIRST * error(first.fused) + _PLANES * by_plane


def _rate(passed: float, most: float) -> float:
    share = passed / most if passed < most else 1.0
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + cos(pi * share)) / 2
