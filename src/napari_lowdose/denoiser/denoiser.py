"""A fitted denoiser, and the one place where arrays become tensors and come back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Real
from numpy import ndarray
from torch import nn

from napari_lowdose.config import Compute, Denoising, Fusion, Plane
from napari_lowdose.errors import LowDoseError, OutOfMemory
from napari_lowdose.fusion import Estimates, fuse
from napari_lowdose.networks import Arithmetic, arithmetic
from napari_lowdose.normalization import Normalizer
from napari_lowdose.planes import slices, unslice, usable_planes
from napari_lowdose.tiling import tiles

# Largest sum of a batch's feature maps in bytes. Beyond the caches larger batches are
# no faster on a CPU; on a GPU this stays a small part of its memory.
_BATCH_BYTES = {"cpu": 128 * 2**20, "cuda": 2 * 2**30, "mps": 512 * 2**20}


@dataclass(frozen=True)
class Progress:
    """How much of a denoising is done, in slices."""

    done: int
    total: int


@dataclass(frozen=True)
class Denoiser:
    """A fitted denoiser: what a model file holds and what a stack is fed to.

    Parameters
    ----------
    normalizer
        Map between counts and what the networks see, fitted on the stack at hand.
    looks
        Networks by plane. Those of the first look see the noisy slices alone, those of
        a later look also the estimates of the look before.
    fusion
        How the planes' estimates become one.
    tile_px
        Edge of the tiles slices are cut into; 0 as large as memory allows.
    compute
        Device, precision and threads.

    References
    ----------
    Tri-directional denoising of time-series images (one look, mean).
    """

    normalizer: Normalizer
    looks: tuple[Mapping[Plane, nn.Module], ...]
    fusion: Fusion = Fusion.MEAN
    tile_px: int = 0
    compute: Compute = field(default_factory=Compute)

    def __call__(self, stack: Real[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Denoise a stack of counts."""
        return self.fuse(self.estimates(stack))

    def estimates(
        self, stack: Real[ndarray, "t y x"]
    ) -> dict[Plane, Float[ndarray, "t y x"]]:
        """Denoise a stack of counts by each plane on its own."""
        return exhausted(self.estimating(stack))

    def fuse(self, estimates: Estimates) -> Float[ndarray, "t y x"]:
        """Combine the planes' estimates; an affine map commutes with the mean."""
        return fuse(estimates, self.fusion)

    def estimating(
        self, stack: Real[ndarray, "t y x"]
    ) -> Generator[Progress, None, dict[Plane, Float[ndarray, "t y x"]]]:
        """Denoise by each plane, telling the progress; leaving early is safe."""
        how = arithmetic(self.compute)
        signal = self.normalizer.forward(stack)
        total = sum(stack.shape[plane.axis] for look in self.looks for plane in look)
        done = 0
        seen: dict[Plane, ndarray] = {}
        for look in self.looks:
            known, seen = seen, {}
            for plane, network in look.items():
                channels = [slices(image, plane) for image in (signal, *known.values())]
                images = np.empty(channels[0].shape, np.float32)
                for count in predicting(network, channels, images, how, self.tile_px):
                    yield Progress(done + count, total)
                done += len(images)
                seen[plane] = unslice(images, plane)
        return {plane: self.normalizer.inverse(seen[plane]) for plane in seen}

    @property
    def planes(self) -> tuple[Plane, ...]:
        """The planes whose estimates come out."""
        return tuple(self.looks[-1])

    def limited_to(self, denoising: Denoising, n_frames: int) -> Denoiser:
        """Keep the planes that are asked for and make sense for so many frames.

        Raises
        ------
        LowDoseError
            If the model holds none of them.
        """
        depth = max(int(getattr(n, "depth", 0)) for n in self.looks[0].values())
        wanted = usable_planes(denoising.planes, n_frames, depth)
        planes = [plane for plane in wanted if plane in self.planes]
        if not planes:
            have, want = ", ".join(self.planes), ", ".join(wanted)
            raise LowDoseError(
                f"expected a model with networks for {want}, got one for {have}; "
                "choose other planes or train them"
            )
        return replace(
            self,
            looks=tuple(
                {plane: look[plane] for plane in planes} for look in self.looks
            ),
            fusion=denoising.fusion,
            tile_px=denoising.tile_px,
            compute=denoising.compute,
        )


T = TypeVar("T")


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


def predict(
    network: nn.Module, images: Real[ndarray, "n h w"], compute: Compute | None = None
) -> Float[ndarray, "n h w"]:
    """Run a network over a family of slices at once.

    Parameters
    ----------
    network
        Maps (n, 1, h, w) to (n, 1, h, w).
    images
        Normalized slices.
    compute
        Device, precision and threads; by default the fastest there are.
    """
    out = np.empty(images.shape, np.float32)
    for _ in predicting(network, [images], out, arithmetic(compute or Compute())):
        pass
    return out


def predicting(
    network: nn.Module,
    channels: Sequence[Real[ndarray, "n h w"]],
    out: Float[ndarray, "n h w"],
    how: Arithmetic,
    tile_px: int = 0,
) -> Iterator[int]:
    """Run a network over a family of slices, filling `out`, batch by batch.

    Yields how many slices are finished. Slices too large for memory, or larger than
    `tile_px`, are cut into tiles; their halo covers the network's reach, so the result
    is that of whole slices.

    Raises
    ------
    OutOfMemory
        If a batch does not fit on the device.
    """
    step, halo = int(getattr(network, "step", 1)), int(getattr(network, "halo", 0))
    height, width = (-(-length // step) * step for length in out.shape[1:])
    budget_px = _BATCH_BYTES[how.device.type] // _bytes_per_pixel(network)
    tile = tile_px or _fitting_tile(height * width, budget_px, halo)
    window = min(tile + 2 * halo, height) * min(tile + 2 * halo, width)
    n_batch = max(1, budget_px // window)
    how.on_device(network).eval()
    for start in range(0, len(out), n_batch):
        part = slice(start, start + n_batch)
        batch = np.stack([channel[part] for channel in channels], axis=1)
        rims = (
            (0, 0),
            (0, 0),
            (0, height - batch.shape[2]),
            (0, width - batch.shape[3]),
        )
        batch = np.pad(batch, rims, mode="edge")
        for t in tiles((height, width), tile=tile, halo=halo, step=step):
            estimate = _run(network, batch[(..., *t.read)], how)[(..., *t.keep)]
            target = out[(part, *t.write)]
            target[:] = estimate[:, : target.shape[1], : target.shape[2]]
        yield min(start + n_batch, len(out))


def _run(
    network: nn.Module, batch: Float[ndarray, "n c h w"], how: Arithmetic
) -> Float[ndarray, "n h w"]:
    """Cross into torch, and back."""
    try:
        with torch.inference_mode(), how.autocast():
            images = how.on_device(torch.from_numpy(np.ascontiguousarray(batch)))
            estimate: ndarray = network(images).float().cpu().numpy()[:, 0]
            return estimate
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"a batch of {len(batch)} slices of {batch.shape[2]} x {batch.shape[3]} "
            f"pixels does not fit on {how.device}; choose a smaller tile, or the CPU"
        ) from error


def _bytes_per_pixel(network: nn.Module) -> int:
    """Estimate the feature maps alive at once, per pixel of full resolution.

    In a U-Net: the skipped features, as many doubled ones, both concatenated, and the
    two maps of the convolution that reads them; coarser levels add about as much again.
    """
    width = next((p.shape[0] for p in network.parameters() if p.ndim == 4), 1)
    return 4 * 8 * int(width)


def _fitting_tile(n_px: int, budget_px: int, halo: int) -> int:
    """Choose a tile that covers the whole slice, or fits the budget with its halo."""
    if n_px <= budget_px:
        return int(n_px)
    return max(int(budget_px**0.5) - 2 * halo, 64, halo)
