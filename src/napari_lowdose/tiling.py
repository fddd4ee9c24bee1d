"""Cutting large slices into tiles with a halo, so that no seam shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Tile:
    """One window of a slice: what to read, what to keep of it, where that goes.

    All are pairs (rows, columns) of slices; `keep` counts from the start of `read`.
    """

    read: tuple[slice, slice]
    keep: tuple[slice, slice]
    write: tuple[slice, slice]


def tiles(shape: tuple[int, int], *, tile: int, halo: int, step: int) -> Iterator[Tile]:
    """Cover a slice with tiles whose kept parts touch but do not overlap.

    Parameters
    ----------
    shape
        Height and width of the slice, in pixels, multiples of `step`.
    tile
        Edge of the kept part of a tile, in pixels; rounded up to a multiple of `step`.
    halo
        Margin read around it, in pixels: at least the reach of the network.
    step
        Pixels that the network pools into one. Windows start at its multiples, or
        pooling would group other pixels than in the whole slice.
    """
    tile, halo = _rounded_up(tile, step), _rounded_up(halo, step)
    for top in range(0, shape[0], tile):
        for left in range(0, shape[1], tile):
            spans = [
                _span(start, tile, halo, length)
                for start, length in zip((top, left), shape, strict=True)
            ]
            (read_y, keep_y, write_y), (read_x, keep_x, write_x) = spans
            yield Tile((read_y, read_x), (keep_y, keep_x), (write_y, write_x))


def _span(start: int, tile: int, halo: int, length: int) -> tuple[slice, slice, slice]:
    """Lay one tile along one axis."""
    stop = min(start + tile, length)
    first = max(start - halo, 0)
    return (
        slice(first, min(stop + halo, length)),
        slice(start - first, stop - first),
        slice(start, stop),
    )


def _rounded_up(value: int, step: int) -> int:
    return -(-value // step) * step
