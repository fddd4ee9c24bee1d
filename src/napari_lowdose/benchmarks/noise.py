"""How well and how fast the noise is read off simulated movies of known detectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from napari_lowdose.noise import (
    Measured,
    Noise,
    Poisson,
    Readout,
    add_noise,
    measure_noise,
)
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.specimens.catalyst import render_catalyst

_GAINS = (0.5, 1.0, 2.0, 8.0)
_READOUT_STDS = (0.0, 1.0, 4.0)  # in counts
_DOSES = (0.3, 1.0, 5.0, 50.0)
_OFFSET = 100.0
_LARGE = (64, 512, 512)
_ROUNDS = 5
# Images that have nothing to do with each other are no movie.
_MOVIES = ("catalyst", "lattice", "fluorescence", "pn_junction")


def measure_reading(
    *,
    kinds: Sequence[str] = _MOVIES,
    gains: Sequence[float] = _GAINS,
    readout_stds: Sequence[float] = _READOUT_STDS,
    doses: Sequence[float] = _DOSES,
    shape: tuple[int, int, int] = _LARGE,
    small: tuple[int, int] = (48, 192),
    n_rounds: int = _ROUNDS,
) -> Iterator[dict[str, Any]]:
    """Read gain and readout noise off a movie of each specimen, detector and dose.

    Parameters
    ----------
    kinds
        Names of `SPECIMENS`.
    gains, readout_stds, doses
        Of the simulated detectors, all combined: counts per quantum, counts, quanta
        per pixel and frame. The offset is 100 counts and is not told.
    shape
        Of the movie whose reading is timed.
    small
        Frames, and edge in pixels, of the movies that are judged.
    n_rounds
        How often the reading is timed.

    Yields
    ------
    dict
        One row per measurement: what, rate, unit.
    """
    for kind in ("uint16", "float32"):
        seconds = _seconds(shape, kind, n_rounds)
        what = " x ".join(map(str, shape)) + f", {kind}"
        yield {"what": what, "rate": seconds, "unit": "s"}
    hits: dict[str, list[bool]] = {}
    frames, size = small
    for number, kind in enumerate(kinds):
        specimen = SPECIMENS[kind]
        clean = specimen.render(
            specimen.settings(frames=frames, size=size, seed=number)
        ).stack
        for gain, std, dose in product(gains, readout_stds, doses):
            camera = Readout(gain=gain, offset=_OFFSET, readout_std=std)
            noise = Noise(dose=dose, stages=(Poisson(), camera), seed=number)
            seen = measure_noise(add_noise(clean, noise)[0].read())
            judged = {
                "gain within 5 %": abs(seen.gain.value / gain - 1) < 0.05,
                "gain's interval holds it": _holds(seen.gain, gain),
                "readout within 0.3 quanta": (
                    abs(seen.readout_std.value - std) < 0.3 * gain
                ),
                "readout's interval holds it": _holds(seen.readout_std, std),
                "offset's interval holds it": _holds(seen.offset, _OFFSET),
                "dose's interval holds it": _holds(seen.dose, dose),
            }
            judged["gain, either"] = (
                judged["gain within 5 %"] or judged["gain's interval holds it"]
            )
            judged["readout, either"] = (
                judged["readout within 0.3 quanta"]
                or judged["readout's interval holds it"]
            )
            for what, well in judged.items():
                hits.setdefault(what, []).append(bool(well))
    for what, all_of_it in hits.items():
        unit = f"of {len(all_of_it)}"
        yield {"what": what, "rate": float(np.mean(all_of_it)), "unit": unit}


def _holds(measured: Measured, truth: float) -> bool:
    # The ends of an interval that is a single number carry its rounding.
    slack = 1e-3 * max(abs(truth), 1e-3)
    return measured.low - slack <= truth <= measured.high + slack


def _seconds(shape: tuple[int, int, int], kind: str, n_rounds: int) -> float:
    """Time the reading of a large movie: the median of some rounds."""
    frames, rows, columns = shape
    settings = Catalyst(frames=frames, size=rows, width=columns, n_particles=rows // 2)
    camera = Readout(gain=2.0, offset=_OFFSET, readout_std=3.0)
    noise = Noise(dose=5.0, stages=(Poisson(), camera))
    noisy = np.rint(add_noise(render_catalyst(settings).stack, noise)[0].read())
    stack = np.maximum(noisy, 0).astype(kind)
    times = []
    for _ in range(n_rounds):
        start = perf_counter()
        measure_noise(stack)
        times.append(perf_counter() - start)
    return median(times)
