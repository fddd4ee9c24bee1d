"""Measurements of this machine and of what we claim, each a command."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from napari_lowdose.benchmarks.speed import measure_speed

BENCHMARKS: Mapping[str, Callable[..., Iterator[dict[str, Any]]]] = {
    "speed": measure_speed,
}

__all__ = ["BENCHMARKS"]
