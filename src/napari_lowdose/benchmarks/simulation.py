"""How fast one core simulates each specimen, without and with noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import process_time
from typing import Any

import cv2

from napari_lowdose.noise import Noise, Poisson, Readout, add_noise
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.specimens.specimen import Movie

_ROUNDS = 5
_NOISE = Noise(dose=1.0, stages=(Poisson(), Readout()))


def measure_simulation(
    n_rounds: int = _ROUNDS, *, frames: int = 64, size: int = 128
) -> Iterator[dict[str, Any]]:
    """Time each specimen with its own settings, and Poisson and readout noise on top.

    The time is that of the processor, summed over all threads, so that the rate is one
    core's, however many there are and however busy they are.

    Parameters
    ----------
    n_rounds
        How often each work is timed, all in turn, after once that is not counted.
    frames, size
        Of the movies.

    Yields
    ------
    dict
        One row per measurement: what, rate, unit. Rates are medians over the rounds.
    """
    works = _works(frames, size)
    seconds: dict[str, list[float]] = {name: [] for name in works}
    threads = cv2.getNumThreads()
    # Threads that wait for each other would count as work.
    cv2.setNumThreads(1)
    try:
        for number in range(n_rounds + 1):
            for name, work in works.items():
                start = process_time()
                work()
                if number:
                    seconds[name].append(process_time() - start)
    finally:
        cv2.setNumThreads(threads)
    for name, times in seconds.items():
        rate = frames * size**2 / median(times)
        yield {"what": name, "rate": rate, "unit": "voxels/s"}


def _works(frames: int, size: int) -> dict[str, Callable[[], object]]:
    """List what is timed."""
    works: dict[str, Callable[[], object]] = {}
    for kind, specimen in SPECIMENS.items():
        settings = specimen.settings(frames=frames, size=size)
        works[kind] = partial(specimen.render, settings)
        works[f"{kind}, noisy"] = partial(_noisy, kind, settings)
    return works


def _noisy(kind: str, settings: Movie) -> None:
    add_noise(SPECIMENS[kind].render(settings).stack, _NOISE)
