"""Shrinking the singular values of patches of a movie, many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from torch import Tensor

from napari_lowdose.classical.patch_matching import Motion

_CHUNK = 4096  # patches that are decomposed together; bounds the memory
_TINY = 1e-6  # of a singular value, in deviations of the noise
# Added to squared singular values, all far larger where there is noise: of a patch
# without a single count, some solvers make no number at all.
_RIDGE = 1e-6


@dataclass(frozen=True)
class Patches:
    """Patches of a movie, each followed over some frames.

    Parameters
    ----------
    shape
        Of the movie.
    edge_px, frames, step_px
        Their size along y and x, and t; the distance of neighbouring ones.
    motion
        How they move; None: not at all.
    """

    shape: tuple[int, int, int]
    edge_px: int
    frames: int
    step_px: int
    motion: Motion | None = None

    @property
    def size(self) -> tuple[int, int, int]:
        """Frames, rows and columns of a patch, which a small movie makes smaller."""
        wanted = (self.frames, self.edge_px, self.edge_px)
        frames, rows, columns = map(min, wanted, self.shape)
        return frames, rows, columns

    @property
    def noise_edge(self) -> float:
        """The largest singular value of pure noise of unit deviation."""
        frames, rows, columns = self.size
        return float(np.sqrt(frames) + np.sqrt(rows * columns))

    def places(self) -> Iterator[tuple[int, Int[ndarray, "n 2"]]]:
        """Give chunks of patches: the frame that they belong to, and their corners."""
        for frame in range(self.shape[0]):
            grid = self._grid(frame)
            for start in range(0, len(grid), _CHUNK):
                yield frame, grid[start : start + _CHUNK]

    def _grid(self, frame: int) -> Int[ndarray, "n 2"]:
        """Spread corners over a frame; in turn, frames have all corners of a step."""
        phases = divmod(frame % self.step_px**2, self.step_px)
        rows, columns = (
            np.union1d(np.arange(phase, n - edge, self.step_px), [0, n - edge])
            for phase, n, edge in zip(
                phases, self.shape[1:], self.size[1:], strict=True
            )
        )
        return np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)

    def voxels(self, frame: int, corners: Int[ndarray, "n 2"]) -> Int[Tensor, "n p w"]:
        """Give the voxels of patches: pixels along one axis, frames along another."""
        n_frames, height, width = self.shape
        length, rows, columns = self.size
        start = min(max(frame - length // 2, 0), n_frames - length)
        if self.motion is None:
            there = np.repeat(corners[:, None], length, axis=1)
        else:
            there = self.motion.followed(
                corners, frame, range(start, start + length), (rows, columns)
            )
        first = (np.arange(start, start + length) * height + there[..., 0]) * width
        first += there[..., 1]
        inside = (np.arange(rows)[:, None] * width + np.arange(columns)).ravel()
        return torch.from_numpy(first[:, None, :] + inside[:, None])


@torch.no_grad()
def shrunk(
    values: Float32[ndarray, "t y x"], patches: Patches, thresholds: Sequence[float]
) -> Float32[ndarray, "k t y x"]:
    """Estimate a movie whose patches have few singular values, for some thresholds.

    The mean of a patch is kept; the singular values of what is left are lowered by the
    threshold, to zero at the least. Overlapping patches are averaged.

    Parameters
    ----------
    values
        Movie with noise of unit deviation.
    patches
        Of this movie.
    thresholds
        In units of the largest singular value of pure noise. One decomposition serves
        them all.
    """
    signal = torch.from_numpy(np.ascontiguousarray(values)).reshape(-1)
    sums = torch.zeros((len(thresholds), signal.numel()))
    weights = torch.zeros_like(signal)
    lowered = torch.tensor([t * patches.noise_edge for t in thresholds])

    def work(place: tuple[int, Int[ndarray, "n 2"]]) -> tuple[Tensor, list[Tensor]]:
        voxels = patches.voxels(*place)
        return voxels.reshape(-1), _shrunk(signal[voxels], lowered)

    # The sums are made in order, so that any number of threads gives the same.
    n_threads = torch.get_num_threads()
    with ThreadPoolExecutor(n_threads) as pool:
        for places in _groups(patches.places(), n_threads):
            for voxels, estimates in pool.map(work, places):
                weights.index_add_(0, voxels, torch.ones(len(voxels)))
                for total, one in zip(sums, estimates, strict=True):
                    total.index_add_(0, voxels, one.reshape(-1))
    sums /= weights
    estimate: ndarray = sums.reshape(-1, *patches.shape).numpy()
    return estimate


def _shrunk(
    patches: Float[Tensor, "n p w"], thresholds: Float[Tensor, " k"]
) -> list[Float[Tensor, "n p w"]]:
    """Lower the singular values of patches.

    They and the right singular vectors come from the small product of a patch with
    itself: half the time of a singular value decomposition, and single precision is
    enough, since the mean is off and noise bounds the smaller values from below.
    """
    mean = patches.mean(dim=(1, 2), keepdim=True)
    centred = patches - mean
    ridge = _RIDGE * torch.eye(centred.shape[-1])
    squares, vectors = torch.linalg.eigh(centred.mT @ centred + ridge)
    singular = squares.clamp(min=0).sqrt().clamp(min=_TINY)
    turned = centred @ vectors
    return [
        (turned * _kept(singular, threshold)[:, None]) @ vectors.mT + mean
        for threshold in thresholds
    ]


def _kept(
    singular: Float[Tensor, "n w"], threshold: Float[Tensor, ""]
) -> Float[Tensor, "n w"]:
    """Give the share of each singular value that is kept."""
    return (1 - threshold / singular).clamp(min=0)


def _groups(
    places: Iterator[tuple[int, ndarray]], size: int
) -> Iterator[list[tuple[int, ndarray]]]:
    """Gather places for all threads, no more than these at a time."""
    group = []
    for place in places:
        group.append(place)
        if len(group) == size:
            yield group
            group = []
    yield group
