"""A fitted denoiser: what a model file holds and what a stack is fed to."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Real
from numpy import ndarray
from torch import Tensor

from napari_lowdose.classical.wiener import denoise_wiener
from napari_lowdose.config import Compute, Denoising, Fusion, Plane
from napari_lowdose.denoiser.passing import passing
from napari_lowdose.denoiser.running import Running
from napari_lowdose.errors import LowDoseError
from napari_lowdose.fusion import disagreement, fuse
from napari_lowdose.networks import Arithmetic, arithmetic
from napari_lowdose.networks.look import (
    GAUSSIANS,
    Channel,
    Look,
    Volume,
    level_around,
    noise_level,
    slices_of,
    smoothed,
)
from napari_lowdose.planes import usable_planes

T = TypeVar("T")


@runtime_checkable
class Units(Protocol):
    """The affine map between counts and what networks see."""

    @property
    def std(self) -> float:
        """Counts per unit."""

    @property
    def slope(self) -> float:
        """Change of the noise's variance per unit of brightness, in units squared."""

    def forward(self, stack: Any, /) -> ndarray:  # noqa: ANN401 - real numbers
        """Map counts to units."""

    def inverse(self, signal: ndarray, /) -> ndarray:
        """Map units to counts."""


@dataclass(frozen=True)
class Progress:
    """How much of a denoising is done, in slices."""

    done: int
    total: int


@dataclass(frozen=True)
class Denoised:
    """What a denoiser made of a stack; all in counts.

    Parameters
    ----------
    fused
        The one estimate.
    planes
        The estimate of each plane that looked on its own; empty if not asked for.
    disagreement
        The deviation of these from one another; none where one plane looked.
    """

    fused: Float[ndarray, "t y x"]
    planes: Mapping[Plane, Float[ndarray, "t y x"]]
    disagreement: Float[ndarray, "t y x"] | None


@dataclass(frozen=True)
class Denoiser:
    """A fitted denoiser: what a model file holds and what a stack is fed to.

    Parameters
    ----------
    normalizer
        Map between counts and what the networks see, fitted on the stack at hand.
    looks
        The first one sees the noisy stack, a later one also what was seen before.
    fusion
        How the planes' estimates become one. A learned fusion is that of the last look;
        all others are of the first look, where the planes look on their own.
    covariance
        Of the planes' errors at validation, for the inverse-variance fusion.
    keeps_mean
        Whether the result's mean is made that of the stack.
    tile_px
        Edge of the tiles slices are cut into; 0 as large as memory allows.
    compute
        Device, precision and threads.

    References
    ----------
    Tri-directional denoising of time-series images (one look, mean).
    """

    normalizer: Units
    looks: tuple[Look, ...]
    fusion: Fusion = Fusion.AUTO
    covariance: Float[ndarray, "n n"] | None = None
    keeps_mean: bool = False
    tile_px: int = 0
    compute: Compute = field(default_factory=Compute)

    def __call__(self, stack: Real[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Denoise a stack of counts."""
        return exhausted(self.denoising(stack, each_plane=False)).fused

    def denoised(self, stack: Real[ndarray, "t y x"]) -> Denoised:
        """Denoise a stack of counts, also by each plane on its own."""
        return exhausted(self.denoising(stack))

    def denoising(
        self, stack: Real[ndarray, "t y x"], *, each_plane: bool = True
    ) -> Generator[Progress, None, Denoised]:
        """Denoise, telling the progress; leaving early is safe."""
        if self.learned:
            return (yield from self._learned(stack, each_plane=each_plane))
        return (yield from self._ruled(stack))

    @property
    def planes(self) -> tuple[Plane, ...]:
        """The planes that look at the noisy stack."""
        return tuple(self.looks[0].networks)

    @property
    def learned(self) -> bool:
        """Whether the networks themselves weigh the planes."""
        able = len(self.planes) > 1 and self.looks[-1].weighs
        return able and self.fusion in (Fusion.AUTO, Fusion.LEARNED)

    @property
    def rule(self) -> Fusion:
        """The fusion that is used."""
        if self.learned:
            return Fusion.LEARNED
        return Fusion.MEAN if self.fusion is Fusion.AUTO else self.fusion

    def limited_to(self, denoising: Denoising, n_frames: int) -> Denoiser:
        """Keep the planes that are asked for and make sense for so many frames.

        Raises
        ------
        LowDoseError
            If the model holds none of them, or cannot fuse as is asked.
        """
        networks = self.looks[0].networks
        depth = max(int(getattr(n, "depth", 0)) for n in networks.values())
        wanted = usable_planes(denoising.planes, n_frames, depth)
        planes = [plane for plane in wanted if plane in networks]
        if not planes:
            have, want = ", ".join(self.planes), ", ".join(wanted)
            raise LowDoseError(
                f"expected a model with networks for {want}, got one for {have}; "
                "choose other planes or train them"
            )
        first = replace(self.looks[0], networks={p: networks[p] for p in planes})
        # Later looks have learned to see what all planes made of the stack.
        complete = len(planes) == len(networks)
        limited = replace(
            self,
            looks=(first, *(self.looks[1:] if complete else ())),
            fusion=denoising.fusion,
            covariance=self.covariance if complete else None,
            tile_px=denoising.tile_px,
            compute=denoising.compute,
        )
        limited._refuse_impossible_fusion(complete)
        return limited

    def _refuse_impossible_fusion(self, complete: bool) -> None:
        if len(self.planes) < 2:
            return
        if self.fusion is Fusion.LEARNED and not (self.looks[-1].weighs and complete):
            raise LowDoseError(
                "expected a base model and all of its directions for the learned "
                "fusion; choose another fusion, or such a model"
            )
        if self.fusion is Fusion.INVERSE_VARIANCE and self.covariance is None:
            raise LowDoseError(
                "expected a model that knows how large its directions' errors are, as "
                "all trained on stacks of enough frames do; choose another fusion"
            )

    def _ruled(
        self, stack: Real[ndarray, "t y x"]
    ) -> Generator[Progress, None, Denoised]:
        """Fuse the planes of the first look by a rule."""
        how = arithmetic(self.compute)
        shown = self._shown(stack, how, torch.float32)
        look = self.looks[0]
        self._show(shown, look, how)
        seen = {p: np.empty(stack.shape, np.float32) for p in look.networks}
        done, total = 0, sum(stack.shape[plane.axis] for plane in look.networks)
        for plane in look.networks:
            target = np.moveaxis(seen[plane], plane.axis, 0)
            for start, stop, estimate, _ in self._look(look, plane, shown, how):
                target[start:stop] = estimate.numpy(force=True)
                yield Progress(done + stop, total)
            done += stack.shape[plane.axis]
        # Each rule commutes with an affine map.
        planes = {plane: self.normalizer.inverse(seen.pop(plane)) for plane in [*seen]}
        if len(planes) < 2:
            (only,) = planes.values()
            fused = only.copy() if self.keeps_mean else only
            return Denoised(self._kept(fused, stack), planes, None)
        fused = fuse(planes, self.rule, covariance=self.covariance)
        return Denoised(self._kept(fused, stack), planes, disagreement(planes))

    def _learned(
        self, stack: Real[ndarray, "t y x"], *, each_plane: bool
    ) -> Generator[Progress, None, Denoised]:
        """Fuse by the networks' own weights, look after look."""
        how = arithmetic(self.compute)
        # Three stacks of float32 at once are the most that a user is told to expect.
        shown = self._shown(stack, how, torch.float16)
        done = 0
        total = sum(stack.shape[p.axis] for look in self.looks for p in look.networks)
        planes: dict[Plane, ndarray] = {}
        for number, look in enumerate(self.looks):
            self._show(shown, look, how)
            running = Running.like(shown[Channel.NOISY], disagreement=number == 0)
            for plane in look.networks:
                kept = None
                if each_plane and number == 0:
                    planes[plane] = np.empty(stack.shape, np.float32)
                    kept = np.moveaxis(planes[plane], plane.axis, 0)
                for start, stop, *seen in self._look(look, plane, shown, how):
                    running.take(plane, start, stop, *seen)
                    if kept is not None:
                        kept[start:stop] = seen[0].numpy(force=True)
                    yield Progress(done + stop, total)
                done += stack.shape[plane.axis]
                running.end_plane()
            shown[Channel.FUSED] = running.fused
            if number == 0:
                shown[Channel.DISAGREEMENT] = running.disagreement()
            shown.pop(Channel.LEVEL, None)
            del running  # its weights are as large as half a stack
        fused = self._counts(shown.pop(Channel.FUSED))
        apart = shown.pop(Channel.DISAGREEMENT)[0].float().numpy(force=True)
        shown.clear()
        apart *= np.float32(self.normalizer.std)
        return Denoised(
            self._kept(fused, stack),
            {p: self.normalizer.inverse(planes.pop(p)) for p in [*planes]},
            apart,
        )

    def _shown(
        self, stack: Real[ndarray, "t y x"], how: Arithmetic, dtype: torch.dtype
    ) -> dict[Channel, Volume]:
        """Give a stack in units of its noise."""
        signal = torch.from_numpy(self.normalizer.forward(stack))
        return {Channel.NOISY: signal[None].to(how.device, dtype)}

    def _show(self, shown: dict[Channel, Volume], look: Look, how: Arithmetic) -> None:
        """Add what a look sees beside what is there."""
        noisy = shown[Channel.NOISY]
        seen = {channel for channel, _ in look.sees}
        if Channel.LEVEL in seen and look.level_of is Channel.NOISY:
            level = torch.empty_like(noisy)
            for frame in range(noisy.shape[1]):
                part = slice(frame, frame + 1)
                around = level_around(noisy[:, part].float(), self._slope(how))
                level[:, part] = around
            shown[Channel.LEVEL] = level
        if GAUSSIANS.keys() & seen:
            shown.update(smoothed(noisy))
        if Channel.WIENER in seen and Channel.WIENER not in shown:
            estimate = denoise_wiener(noisy[0].numpy(force=True))
            shown[Channel.WIENER] = torch.from_numpy(estimate)[None].to(noisy)

    def _slope(self, how: Arithmetic) -> Tensor:
        return torch.full((1, 1, 1, 1), self.normalizer.slope, device=how.device)

    def _look(
        self, look: Look, plane: Plane, shown: Mapping[Channel, Volume], how: Arithmetic
    ) -> Generator[tuple[int, int, Tensor, Tensor], None, None]:
        """Look from one plane: estimates and weights of some slices after the other."""
        shape = torch.Size(shown[Channel.NOISY][0].movedim(plane.axis, 0).shape)

        def take(start: int, stop: int) -> Tensor:
            images = []
            for channel, reach in look.sees:
                # Not kept, for want of memory: the level of an estimate.
                derived = channel not in shown
                volume = shown[look.level_of if derived else channel]
                part = slices_of([(volume, reach)], plane, start, stop)
                if derived:
                    part = noise_level(part.float(), self._slope(how)).to(part)
                images.append(part)
            return torch.cat(images, dim=1)

        for start, stop, out in passing(
            look.networks[plane],
            take,
            (shape[0], shape[1], shape[2]),
            how,
            self.tile_px,
        ):

            def part(channel: Channel, first: int = start, end: int = stop) -> Tensor:
                return slices_of([(shown[channel], 0)], plane, first, end)[:, 0]

            yield start, stop, *look.estimate(out, part)

    def _counts(self, signal: Volume) -> Float[ndarray, "t y x"]:
        """Map to counts, frame by frame: copies of the whole would be the peak."""
        counts = np.empty(signal.shape[1:], np.float32)
        for out, frame in zip(counts, signal[0], strict=True):
            out[:] = self.normalizer.inverse(frame.float().numpy(force=True))
        return counts

    def _kept(
        self, fused: Float[ndarray, "t y x"], stack: Real[ndarray, "t y x"]
    ) -> Float[ndarray, "t y x"]:
        """Give the result, in place, the stack's mean, which so many counts tell."""
        if self.keeps_mean:
            wanted, found = (float(a.mean(dtype=np.float64)) for a in (stack, fused))
            fused += np.float32(wanted - found)
        return fused


def exhausted(
    steps: Generator[Any, None, T], watch: Callable[[Any], object] | None = None
) -> T:
    """Run a generator to its end, show what it yields, and take what it returns."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        if watch:
            watch(step)
