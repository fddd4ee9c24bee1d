"""Calibrating the chance of being a phantom on simulated movies."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.benchmarks.trust.fitting import fit_calibrations
from napari_lowdose.benchmarks.trust.gathering import Kind, evidence_in
from napari_lowdose.benchmarks.trust.movies import (
    CALIBRATION_SEED,
    DOSES,
    CountedMovie,
    calibration_movies,
)
from napari_lowdose.config import Compute, Plane
from napari_lowdose.particles import N_STD, Source
from napari_lowdose.particles.calibration import Calibration

_DIGITS = 5
N_MOVIES = 240
Tables = Mapping[Source, pd.DataFrame]


def calibrating(
    path: Path,
    *,
    model: str = "accurate",
    n_movies: int = N_MOVIES,
    frames: int = 64,
    size: int = 128,
    compute: Compute = Compute(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Denoise movies of all doses, look at all spots, fit, and write the numbers.

    To calibrate the shipped numbers again::

        from pathlib import Path
        import napari_lowdose.particles as particles
        from napari_lowdose.benchmarks.trust import calibrating
        file = Path(particles.__file__).parent / "suspicion.json"
        for row in calibrating(file):
            print(row)

    Parameters
    ----------
    path
        The JSON file to write.
    model
        Name of a base model, or a model file.
    n_movies, frames, size
        How many movies, and how large, in frames and pixels.
    compute
        On what the model runs.

    Yields
    ------
    dict
        what, rate (phantoms per frame in the fused estimate), unit, per movie.
    """
    movies = calibration_movies(n_movies, frames=frames, size=size)
    tables: dict[Source, list[pd.DataFrame]] = {source: [] for source in Source}
    for movie, seen in looked_at(movies, model, compute):
        for source, table in seen.items():
            tables[source].append(table)
        yield phantom_row(movie.name, seen[Source.FUSED], frames)
    whole = {
        source: pd.concat(some, ignore_index=True) for source, some in tables.items()
    }
    about = {
        "model": model,
        "movies": f"catalyst, {n_movies} of {frames} x {size} x {size}",
        "seeds": [CALIBRATION_SEED, CALIBRATION_SEED + n_movies - 1],
        "doses": list(DOSES),
        "n_std": N_STD,
        "again": "napari_lowdose.benchmarks.trust.calibrating",
        **{source.value: kind_counts(table) for source, table in whole.items()},
    }
    fitted = {source: fit_calibrations(table) for source, table in whole.items()}
    write_calibrations(path, fitted, about)


def looked_at(
    movies: Iterable[CountedMovie], model: str, compute: Compute
) -> Generator[tuple[CountedMovie, Tables], None, None]:
    """Denoise movies, and gather the evidence for the spots of x-y and fused."""
    from napari_lowdose.base_models import fitted

    for movie in movies:
        denoiser, _ = fitted(model, movie.noisy, compute)
        seen = denoiser.denoised(movie.noisy)
        estimates: Mapping[Source, Real[ndarray, "t y x"]] = {
            Source.FUSED: seen.fused,
            Source.XY: seen.planes[Plane.XY],
        }
        yield (
            movie,
            {
                source: evidence_in(movie, estimate, seen.planes)
                for source, estimate in estimates.items()
            },
        )


def phantom_row(name: str, table: pd.DataFrame, frames: int) -> dict[str, Any]:
    """Tell how many spots of which kind an estimate has."""
    counts = kind_counts(table)
    rate = counts[Kind.PHANTOM] / frames
    return {"what": name, "rate": rate, "unit": "phantoms/frame", **counts}


def kind_counts(table: pd.DataFrame) -> dict[str, int]:
    """Count the spots of each kind."""
    kinds = table["kind"].to_numpy()
    return {kind.value: int(np.sum(kinds == kind)) for kind in Kind}


def write_calibrations(
    path: Path,
    fitted: Mapping[Source, Mapping[tuple[str, ...], Calibration]],
    about: Mapping[str, Any],
) -> None:
    """Write what `napari_lowdose.particles.calibration` reads."""
    # One calibration is one line: changes can be read, and the file stays short.
    sources = ",\n".join(
        f'"{source.value}": [\n'
        + ",\n".join(
            json.dumps({"groups": list(groups), **_rounded(one)})
            for groups, one in some.items()
        )
        + "\n]"
        for source, some in fitted.items()
    )
    head = json.dumps(about, indent=1)
    path.write_text(
        f'{{"about": {head},\n"calibrations": {{\n{sources}\n}}}}\n', encoding="utf-8"
    )


def _rounded(calibration: Calibration) -> dict[str, list[float]]:
    return {
        name: [float(f"{value:.{_DIGITS}g}") for value in getattr(calibration, name)]
        for name in ("centre", "scale", "weights")
    }
