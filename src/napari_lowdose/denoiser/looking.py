"""A stack looked at from each plane, look after look."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Real
from numpy import ndarray
from torch import Tensor

from napari_lowdose.classical.completing import completed
from napari_lowdose.classical.wiener import denoise_wiener
from napari_lowdose.config import Plane
from napari_lowdose.denoiser.denoised import Denoised, Progress
from napari_lowdose.denoiser.kept import (
    Beside,
    Counts,
    Halves,
    Kept,
    Logarithms,
    Units,
    gaussian_means,
    images_of,
)
from napari_lowdose.denoiser.passing import passing
from napari_lowdose.denoiser.running import DIFFERENCES, Running
from napari_lowdose.memory import mapped, return_free
from napari_lowdose.networks import Arithmetic
from napari_lowdose.networks.look import (
    GAUSSIANS,
    Channel,
    Images,
    Look,
    level_around,
    noise_level,
)
from napari_lowdose.networks.traits import Traits, traits_of, windows_of

# Of the noise level, in units of that at the stack's mean.
_LEVELS = (0.04, 400.0)


@dataclass(frozen=True)
class Looking:
    """A stack that is being looked at.

    Parameters
    ----------
    stack
        Counts (t, y, x).
    units
        Of its noise.
    how, tile_px
        Device, precision, and the edge of the tiles slices are cut into.
    """

    stack: Real[ndarray, "t y x"]
    units: Units
    how: Arithmetic
    tile_px: int

    def from_plane(
        self, look: Look, kept: Mapping[Channel, Kept], plane: Plane
    ) -> Generator[tuple[int, int, Images, Images], None, None]:
        """Look from one plane: estimates and weights of some slices after the other."""
        shape = np.moveaxis(self.stack, plane.axis, 0).shape
        n = shape[0]
        seen = {**kept}
        if look.level_of is not Channel.NOISY:
            seen[Channel.LEVEL] = _LevelOf(kept[look.level_of], self._slope)

        def take(start: int, stop: int) -> Tensor:
            return images_of(seen, look.sees, plane, (start, stop, n), self.how.dtype)

        batches = passing(look.networks[plane], take, shape, self.how, self.tile_px)
        for start, stop, out in batches:

            def part(channel: Channel, first: int = start, end: int = stop) -> Images:
                return kept[channel].part(plane, first, end).float()

            estimate, weight = look.estimate(out, part)
            del out  # before the next batch is made
            yield start, stop, estimate, weight

    def told(self, look: Look) -> Look:
        """Fit the networks that can be to the stack, by its traits."""
        return look.told(self._traits) if look.listens else look

    def beside(self, look: Look) -> dict[Channel, Kept]:
        """Compute what a look sees beside what looks before it made."""
        noisy = Counts(self.stack, self.units, self.how.device)
        kept: dict[Channel, Kept] = {Channel.NOISY: noisy}
        seen = {channel for channel, _ in look.sees}
        if Channel.LEVEL in seen and look.level_of is Channel.NOISY:
            level = Logarithms.empty(self.stack.shape, self.how.device, _LEVELS)
            for frame in range(len(self.stack)):
                image = noisy.part(Plane.XY, frame, frame + 1)[None]
                around = level_around(image, self._slope)[0]
                level.put(Plane.XY, frame, frame + 1, around)
            kept[Channel.LEVEL] = level
        if GAUSSIANS.keys() & seen:
            kept.update(gaussian_means(noisy, self._shape))
        return kept

    def filtered(self) -> Kept:
        """Give what the Wiener filter makes of the stack, which alone needs it all."""
        estimate = denoise_wiener(self.stack)
        kept = self.empty()
        for frame, image in enumerate(estimate):
            signal = torch.from_numpy(self.units.forward(image[None]))
            kept.put(Plane.XY, frame, frame + 1, signal)
        return kept

    def empty(self) -> Halves:
        """Make room for a volume of the stack's shape."""
        return Halves.empty(self.stack.shape, self.how.device)

    @cached_property
    def _traits(self) -> Traits:
        # One at a time: all of them are half a stack.
        windows = map(self.units.forward, windows_of(self.stack))
        return traits_of(windows, self.units.slope)

    @property
    def _shape(self) -> tuple[int, int, int]:
        frames, height, width = self.stack.shape
        return frames, height, width

    @property
    def _slope(self) -> Tensor:
        return torch.full((1, 1, 1, 1), self.units.slope, device=self.how.device)


@dataclass(frozen=True)
class _LevelOf:
    """The noise level at the brightness of an estimate; not kept, but computed."""

    brightness: Kept
    slope: Tensor

    def part(self, plane: Plane, start: int, stop: int) -> Images:
        around = self.brightness.part(plane, start, stop).float()
        return noise_level(around[None], self.slope)[0]


def look_after_look(
    looking: Looking,
    looks: tuple[Look, ...],
    *,
    each_plane: bool,
    put_back: bool = False,
) -> Generator[Progress, None, Denoised]:
    """Fuse by the networks' own weights, look after look."""
    shape = looking.stack.shape
    seen = {channel for look in looks for channel, _ in look.sees}
    kept: dict[Channel, Kept] = {}
    return_free()  # what reading the noise took
    if Channel.WIENER in seen:
        # First, since at work it takes a float32 stack beside what is kept.
        kept[Channel.WIENER] = looking.filtered()
    done, total = 0, sum(shape[p.axis] for look in looks for p in look.networks)
    planes: dict[Plane, ndarray] = {}
    for number, untold in enumerate(looks):
        # One after the other: each has networks of its own.
        look = looking.told(untold)
        kept.pop(Channel.LEVEL, None)
        kept.update(looking.beside(look))
        running = Running.over(shape, looking.how.device, kept.get(Channel.FUSED))
        for plane in look.networks:
            return_free()
            if each_plane and number == 0:
                planes[plane] = np.empty(shape, np.float32)
            for start, stop, estimate, weight in looking.from_plane(look, kept, plane):
                running.take(plane, start, stop, estimate, weight)
                if each_plane and number == 0:
                    target = np.moveaxis(planes[plane], plane.axis, 0)
                    target[start:stop] = estimate.numpy(force=True)
                yield Progress(done + stop, total)
            done += shape[plane.axis]
            running.end_plane()
        kept[Channel.FUSED] = mean = running.end()
        if running.apart is not None:
            kept[Channel.FRAMES], kept[Channel.DISAGREEMENT] = running.apart.end(mean)
        del running
        wiener = kept.get(Channel.WIENER)
        if isinstance(wiener, Halves) and number + 1 < len(looks):
            # By how it differs from the fused one: in half the memory.
            kept[Channel.WIENER] = Beside.of(wiener, mean, DIFFERENCES)
        del wiener, mean
    fused, deviation = kept[Channel.FUSED], kept[Channel.DISAGREEMENT]
    kept.clear()
    return_free()
    units = looking.units
    result = _frame_by_frame(fused, shape, units.inverse)
    del fused
    if put_back:
        result = _put_back(looking.stack, result)
    return Denoised(
        result,
        {plane: units.inverse(planes.pop(plane)) for plane in [*planes]},
        _frame_by_frame(deviation, shape, lambda image: image * np.float32(units.std)),
    )


def _put_back(stack: ndarray, counts: ndarray) -> Float[ndarray, "t y x"]:
    """Put back what a result, whose memory is used, has lost of a stack."""
    residual = mapped(stack.shape, np.float32)
    np.subtract(stack, counts, out=residual, casting="same_kind")
    return completed(counts, residual)


def _frame_by_frame(
    kept: Kept, shape: tuple[int, ...], function: Callable[[ndarray], ndarray]
) -> Float[ndarray, "t y x"]:
    """Map a volume, frame by frame: copies of the whole would be the peak."""
    values = mapped(shape, np.float32)
    for frame, out in enumerate(values):
        image = kept.part(Plane.XY, frame, frame + 1)[0].float()
        out[:] = function(image.numpy(force=True))
    return values
