"""The quality benchmark: one model on the whole development set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy import ndarray

from napari_lowdose.benchmarks.quality.baselines import ALL, baselines
from napari_lowdose.benchmarks.quality.honesty import (
    Denoise,
    Estimate,
    dose_response,
    flat_movies,
    judge_flat,
)
from napari_lowdose.benchmarks.quality.judgement import judge
from napari_lowdose.benchmarks.quality.stacks import RECIPES, development_set
from napari_lowdose.config import Compute

_N_FLAT = 20


def measure_quality(
    model: str = "accurate",
    *,
    small: bool = False,
    n_flat: int = _N_FLAT,
    names: Iterable[str] = ALL,
    data: Path | None = None,
    compute: Compute = Compute(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Judge a model, blind, on each stack of the development set.

    Parameters
    ----------
    model
        Name of a base model, or a model file.
    small
        Small stacks, for tests.
    n_flat
        Movies of pure noise.
    names
        Classical filters to compare with, each tuned by the truth.
    data
        Folder of the real movies.
    compute
        On what the model runs.

    Yields
    ------
    dict
        The rows of `measure_denoise`.
    """
    from napari_lowdose.base_models import fitted

    def denoise(stack: ndarray) -> Estimate:
        denoiser, _ = fitted(model, stack, compute)
        result = denoiser.denoised(stack)
        return result.fused, result.planes

    yield from measure_denoise(
        denoise, small=small, n_flat=n_flat, names=names, data=data
    )


def measure_denoise(
    denoise: Denoise,
    *,
    small: bool = False,
    n_flat: int = _N_FLAT,
    names: Iterable[str] = ALL,
    data: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Judge anything that denoises a stack of counts.

    Parameters
    ----------
    denoise
        Takes counts (t, y, x); gives the fused estimate, and each direction's own by
        plane, which may be empty.
    small, n_flat, names, data
        As in `measure_quality`.

    Yields
    ------
    dict
        what, rate, unit, and further numbers by name; see `judge`, `judge_particles`,
        `judge_flat` and `dose_response`. A stack has one row, one with particles two.
        Then come the flat movies by kind, the response to a doubled dose, and a summary
        over all stacks.
    """
    judged = []
    for stack in development_set(small=small, data=data):
        start = perf_counter()
        fused, planes = denoise(stack.noisy)
        seconds = perf_counter() - start
        row = judge(stack, fused, planes, baselines(stack, names))
        judged.append(row)
        speed = {"seconds": seconds, "Mvoxel/s": stack.noisy.size / seconds / 1e6}
        yield from _rows(stack.name, row, speed)
    yield from _flat_rows(denoise, n_flat, small=small)
    ratio = dose_response(denoise, RECIPES[0], small=small)
    yield {"what": "signal at twice the dose", "rate": ratio, "unit": "x"}
    yield from summary(judged)


_FIDELITY = (
    "baseline", "over baseline", "over wiener", "over plane", "psnr xy", "psnr xt",
    "psnr yt", "slope", "slope of truth", "slope of regions", "mean ratio",
)  # fmt: skip
_PARTICLES = (
    "phantoms xy", "highest recall", "highest recall xy", "ghosts", "ghosts xy",
    "flicker", "flicker xy", "fade rate", "contrast", "delay", "late share", "rise",
    "rise xy", "appearances",
)  # fmt: skip


def _rows(
    name: str, judged: Mapping[str, Any], speed: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    """Split what was found on a stack into rows that can be read."""
    fidelity = {key: judged[key] for key in _FIDELITY if key in judged}
    yield {"what": name, "rate": judged["psnr"], "unit": "dB", **fidelity, **speed}
    if "phantoms" in judged:
        particles = {key: judged[key] for key in _PARTICLES if key in judged}
        yield {
            "what": f"{name}, particles",
            "rate": judged["phantoms"],
            "unit": "phantoms/frame",
            **particles,
        }


def _flat_rows(
    denoise: Denoise, n_movies: int, *, small: bool
) -> Iterator[dict[str, Any]]:
    """Judge movies of pure noise; one row per kind of noise."""
    found: dict[str, list[dict[str, float]]] = {}
    shape = (16, 64, 64) if small else (48, 128, 128)
    for movie in flat_movies(n_movies, shape=shape):
        fused, _ = denoise(movie.noisy)
        found.setdefault(movie.name, []).append(judge_flat(movie, fused))
    for name, rows in found.items():
        false = np.array([row["false particles"] for row in rows])
        yield {
            "what": f"flat, {name}",
            "rate": float(np.max([row["std share"] for row in rows])),
            "unit": "of its std",
            "false particles": int(false.sum()),
            "movies with some": int(np.count_nonzero(false)),
            "movies": len(rows),
        }


def summary(judged: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Sum up what `judge` found on several stacks, in the terms of the bars.

    Yields
    ------
    dict
        Mean and least gain over the best baseline, over our own filter, and over the
        best single direction; median and largest ratio of phantoms, and of flicker, to
        those of x-y alone, over the stacks where both have a number and x-y has some,
        and on how many stacks the estimate, or x-y, does not reach the recall; mean
        delay of all true appearances, and the share of those that come more than 2
        frames late.
    """
    rows = list(judged)
    for what in ("over baseline", "over wiener", "over plane"):
        gains = [row[what] for row in rows if what in row]
        if gains:
            least = {"least": min(gains), "stacks": len(gains)}
            yield {"what": what, "rate": float(np.mean(gains)), "unit": "dB", **least}
    for what in ("phantoms", "flicker"):
        pairs = [(row[what], row[f"{what} xy"]) for row in rows if f"{what} xy" in row]
        ratios = [fused / alone for fused, alone in pairs if alone > 0 <= fused]
        if ratios:
            most = {"most": max(ratios), "stacks": len(ratios)}
            # A number that does not exist is worse than any: recall is not reached.
            most["not reached"] = sum(math.isnan(fused) for fused, _ in pairs)
            most["not by xy"] = sum(math.isnan(alone) for _, alone in pairs)
            middle = float(np.median(ratios))
            yield {"what": f"{what} over xy's", "rate": middle, "unit": "x", **most}
    events = [row for row in rows if row.get("appearances")]
    if events:
        weights = [row["appearances"] for row in events]
        delay, late = (
            float(np.average([row[what] for row in events], weights=weights))
            for what in ("delay", "late share")
        )
        count = {"late share": late, "appearances": sum(weights)}
        yield {"what": "delay", "rate": delay, "unit": "frames", **count}
