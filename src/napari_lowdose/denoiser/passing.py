"""Slices passed through a network, batch by batch, in tiles if need be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Real
from numpy import ndarray
from torch import Tensor, nn

from napari_lowdose.config import Compute
from napari_lowdose.errors import OutOfMemory
from napari_lowdose.networks import Arithmetic, arithmetic
from napari_lowdose.networks.shuffled_unet import ShuffledUNet
from napari_lowdose.tiling import tiles

# Largest sum of a batch's feature maps in bytes: of whole slices, and of a single one,
# which is cut into tiles beyond that. On a CPU larger batches are no faster; on a GPU
# this stays a small part of its memory.
_BATCH_BYTES = {"cpu": 10 * 2**20, "cuda": 2 * 2**30, "mps": 512 * 2**20}
_SLICE_BYTES = {"cpu": 64 * 2**20, "cuda": 2 * 2**30, "mps": 512 * 2**20}
_OUTPUT_BYTES = 56  # per pixel

Slices = Float[Tensor, "n c h w"]


def passing(
    network: nn.Module,
    take: Callable[[int, int], Slices],
    shape: tuple[int, int, int],
    how: Arithmetic,
    tile_px: int = 0,
) -> Iterator[tuple[int, int, Float[Tensor, "n o h w"]]]:
    """Pass slices through a network; yield from where to where, and its outputs.

    Slices too large for memory, or larger than `tile_px`, are cut into tiles; their
    halo covers the network's reach, so the result is that of whole slices.

    Parameters
    ----------
    network
        Maps (n, channels, h, w) to (n, outputs, h, w).
    take
        Gives the input of some slices, from which to before which.
    shape
        Number, height and width of the slices.
    how
        Device and precision.
    tile_px
        Edge of a tile; 0: whole slices, if memory allows.

    Raises
    ------
    OutOfMemory
        If a batch does not fit on the device.
    """
    step, halo = int(getattr(network, "step", 1)), int(getattr(network, "halo", 0))
    n, height, width = shape
    per_px = _bytes_per_pixel(network, how)
    budget_px, most_px = (
        int(most[how.device.type] // per_px) for most in (_BATCH_BYTES, _SLICE_BYTES)
    )
    tile = tile_px or _fitting_tile(height * width, most_px, halo)
    window = min(tile + 2 * halo, height) * min(tile + 2 * halo, width)
    n_batch = max(1, budget_px // window)
    how.on_device(network).eval()
    for start in range(0, n, n_batch):
        stop = min(start + n_batch, n)
        if max(height, width) <= tile:
            made = _run(network, partial(take, start, stop), how)
            yield start, stop, made
            del made  # before the next batch is made
            continue
        images = take(start, stop)
        out: Tensor | None = None
        # The network itself continues slices to multiples of its step.
        for t in tiles((height, width), tile=tile, halo=halo, step=step):
            cut = partial(images.__getitem__, (..., *t.read))
            part = _run(network, cut, how)[(..., *t.keep)]
            if out is None:
                out = part.new_empty((*part.shape[:2], height, width))
            out[(..., *t.write)] = part
        assert out is not None
        yield start, stop, out


def predict(
    network: nn.Module,
    images: Real[ndarray, "n h w"],
    compute: Compute | None = None,
    tile_px: int = 0,
) -> Float[ndarray, "n h w"]:
    """Run a network over a family of slices.

    Parameters
    ----------
    network
        Maps (n, 1, h, w) to (n, 1, h, w).
    images
        Normalized slices.
    compute
        Device, precision and threads; by default the fastest there are.
    tile_px
        Edge of the tiles that slices are cut into; 0: as large as memory allows.
    """
    how = arithmetic(compute or Compute())
    out = np.empty(images.shape, np.float32)
    shape = (len(images), *images.shape[1:])

    def take(start: int, stop: int) -> Tensor:
        batch = np.ascontiguousarray(images[start:stop], np.float32)
        return torch.from_numpy(batch)[:, None]

    for start, stop, estimate in passing(network, take, shape, how, tile_px):
        out[start:stop] = estimate[:, 0].numpy(force=True)
    return out


def _run(
    network: nn.Module, make: Callable[[], Slices], how: Arithmetic
) -> Float[Tensor, "n o h w"]:
    """Pass slices through a network, and let go of them as soon as may be."""
    images = make()
    n, _, height, width = images.shape
    try:
        with torch.inference_mode(), how.autocast():
            if isinstance(network, ShuffledUNet):
                shuffled = network.shuffled(images.to(how.device))
                del images
                estimate = network.from_shuffled(shuffled)[..., :height, :width]
            else:
                estimate = network(how.on_device(images))
            return estimate.float()
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"a batch of {n} slices of {height} x {width} pixels does not fit on "
            f"{how.device}; choose a smaller tile, or the CPU"
        ) from error


def _bytes_per_pixel(network: nn.Module, how: Arithmetic) -> float:
    """Estimate what is alive at once, per pixel of full resolution.

    In a U-Net: the skipped features, as many doubled ones, both concatenated, and the
    two maps of the convolution that reads them; coarser levels add about as much again.
    Before that, the input in three layouts; after that, three outputs and what is
    computed of them, in single precision.
    """
    first = next((p for p in network.parameters() if p.ndim == 4), None)
    width, n_channels = (1, 1) if first is None else first.shape[:2]
    block = getattr(network, "shuffle", 1) ** 2
    return (8 * width + 3 * n_channels) / block * how.dtype.itemsize + _OUTPUT_BYTES


def _fitting_tile(n_px: int, budget_px: int, halo: int) -> int:
    """Choose a tile that covers the whole slice, or fits the budget with its halo."""
    if n_px <= budget_px:
        return int(n_px)
    return max(int(budget_px**0.5) - 2 * halo, 64, halo)
