"""What writing a data set would take, told before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time

import numpy as np
import zarr
from numpy import ndarray
from zarr.codecs import BloscCodec
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

from napari_lowdose.datasets.dataset import DataSet, Item, Writing

# A task makes about this many voxels: a few seconds of work, one file per array.
_TASK_VOXELS = 2**21
_N_TRIED = 16  # at most, to tell what all will take
_TRIED_S = 3.0


@dataclass(frozen=True)
class Plan:
    """A data set with its numbers settled.

    Parameters
    ----------
    name, dataset
        Which set.
    n_items, frames, size, seed
        How many items, how large, and the start of the random numbers.
    items_per_task
        How many items are made and stored together.
    """

    name: str
    dataset: DataSet
    n_items: int
    frames: int
    size: int
    seed: int
    items_per_task: int

    @property
    def item_voxels(self) -> int:
        """Voxels of one array of an item."""
        return self.frames * self.size**2

    @property
    def n_bytes(self) -> int:
        """Size of all arrays before compression."""
        per_voxel = sum(np.dtype(kind).itemsize for kind in self.dataset.parts.values())
        return self.n_items * self.item_voxels * per_voxel

    @property
    def n_tasks(self) -> int:
        """How many groups of items there are."""
        return -(-self.n_items // self.items_per_task)

    def items_of(self, task: int) -> range:
        """List the items of a task by number."""
        first = task * self.items_per_task
        return range(first, min(first + self.items_per_task, self.n_items))

    def make(self, index: int) -> tuple[dict[str, ndarray], float]:
        """Make the arrays of one item, in the types they are stored in."""
        rng = np.random.default_rng([self.seed, 2, index])
        arrays, dose = self.dataset.make(Item(index, self.frames, self.size, rng))
        kinds = self.dataset.parts
        return {name: arrays[name].astype(kinds[name]) for name in kinds}, dose


@dataclass(frozen=True)
class Estimate:
    """What an item takes, from making one.

    Parameters
    ----------
    seconds
        On one core.
    n_bytes
        As stored.
    """

    seconds: float
    n_bytes: int


def plan(name: str, dataset: DataSet, writing: Writing) -> Plan:
    """Settle how much of a data set is made."""
    n_items = writing.n_items or dataset.n_items
    frames, size = writing.frames or dataset.frames, writing.size or dataset.size
    fitting = max(1, min(n_items, _TASK_VOXELS // (frames * size**2)))
    return Plan(name, dataset, n_items, frames, size, writing.seed, fitting)


def compressor() -> BloscCodec:
    """Give the lossless compression of the arrays."""
    return BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")


def estimate(plan: Plan) -> Estimate:
    """Make the first items in memory to tell what all will take."""
    # Of the processor: what has all cores here will have one of them later.
    start = process_time()
    content: dict[str, Buffer] = {}
    group = zarr.open_group(MemoryStore(content), mode="w")
    n_tried = 0
    for index in range(min(_N_TRIED, plan.n_items)):
        arrays, _ = plan.make(index)
        n_tried += 1
        for name, array in arrays.items():
            group.create_array(
                f"{name}{index}",
                data=array,
                chunks=array.shape,
                compressors=compressor(),
            )
        # Two at least, since kinds of noise take turns and are not packed equally well.
        if n_tried > 1 and process_time() - start > _TRIED_S:
            break
    n_bytes = sum(len(part) for part in content.values())
    return Estimate((process_time() - start) / n_tried, n_bytes // n_tried)
