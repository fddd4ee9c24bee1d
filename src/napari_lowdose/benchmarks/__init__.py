"""Measurements of this machine and of what we claim, each a command.

To add one: write its file, add its line here. The command line takes its name and its
story from this mapping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Benchmark:
    """A measurement whose file is read when it is called: some need torch.

    Parameters
    ----------
    module, function
        Where it is; the function yields one row per measurement: what, rate, unit and,
        for some, shares.
    story
        What it measures, for the command line's help.
    """

    module: str
    function: str
    story: str

    def __call__(self, **options: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        """Measure, row by row; the options are those of the function."""
        home = import_module(f"{__name__}.{self.module}")
        rows: Iterator[dict[str, Any]] = getattr(home, self.function)(**options)
        return rows


BENCHMARKS: Mapping[str, Benchmark] = {
    "speed": Benchmark(
        "speed",
        "measure_speed",
        "voxels per second per plane and fused, training patches per second, each with "
        "the share of the machine's best rate",
    ),
    "simulation": Benchmark(
        "simulation",
        "measure_simulation",
        "voxels per second at which one core renders each specimen, without and with "
        "noise",
    ),
    "noise": Benchmark(
        "noise",
        "measure_reading",
        "how fast gain, offset, readout noise and dose are read off a movie, and how "
        "often they are right",
    ),
    "quality": Benchmark(
        "quality",
        "measure_quality",
        "decibels, phantoms, flicker and delay of the accurate base model on a dozen "
        "movies with known truth, beside each direction alone and filters tuned by the "
        "truth; what it makes of pure noise",
    ),
    "fine_tuning": Benchmark(
        "fine_tuning",
        "measure_fine_tuning",
        "decibels that a minute of fine-tuning on the noisy stack itself adds, on the "
        "movies of quality",
    ),
    "trust": Benchmark(
        "trust",
        "measure_trust",
        "how often noise passes for a particle, how well phantoms are told from "
        "particles on movies that nothing was calibrated on, how true the chances are, "
        "and how long it takes",
    ),
    "baselines": Benchmark(
        "baselines",
        "measure_baselines",
        "decibels of every classical filter on the movies of quality, tuned by the "
        "truth and without it, with its time and memory",
    ),
    "table1": Benchmark(
        "table1",
        "measure_table1",
        "the error of a U-Net beside those of three filters tuned by the truth, and "
        "beside the tri-directional paper's own (table 1); trains for some minutes",
    ),
}

__all__ = ["BENCHMARKS", "Benchmark"]
