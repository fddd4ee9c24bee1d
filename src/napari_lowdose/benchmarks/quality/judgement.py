"""How good an estimate of a stack is, in the terms of the project's bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.benchmarks.quality.baselines import OWN, Reached, best_baseline
from napari_lowdose.benchmarks.quality.stacks import DevelopmentStack
from napari_lowdose.config import Plane
from napari_lowdose.metrics.reference import psnr
from napari_lowdose.particles import (
    Truth,
    appearances,
    at_recall,
    continuity,
    detect,
    score_detections,
)

RECALL = 0.9
_REGION = (8, 8, 8)  # frames, rows, columns


def judge(
    stack: DevelopmentStack,
    fused: Real[ndarray, "t y x"],
    planes: Mapping[Plane, ndarray] | None = None,
    reached: Mapping[str, Reached] | None = None,
) -> dict[str, Any]:
    """Measure an estimate against the truth, each direction alone, and baselines.

    Parameters
    ----------
    stack
        What was denoised.
    fused
        The estimate, in counts.
    planes
        What each direction makes of the stack alone, in counts.
    reached
        What baselines reach on the stack, see `baselines`.

    Returns
    -------
    dict
        ``psnr`` (dB) of the fused estimate, and ``psnr xy`` and so on of the planes;
        ``over baseline`` and ``over plane``, the gain in dB over the best of each, and
        which ``baseline`` that is; ``over wiener``, the gain over our own filter;
        what `photometry` gives: slopes, which a perfect estimate has at 1, and
        ``mean ratio``. With particles also what `judge_particles` gives.
    """
    planes = planes or {}
    row: dict[str, Any] = {"psnr": psnr(fused, stack.truth)}
    row |= {f"psnr {name}": psnr(seen, stack.truth) for name, seen in planes.items()}
    if reached:
        row["baseline"], level = best_baseline(reached)
        row["psnr baseline"] = level
        row["over baseline"] = row["psnr"] - level
        if OWN in reached:
            row[f"over {OWN}"] = row["psnr"] - reached[OWN].psnr
    if planes:
        best = max(row[f"psnr {name}"] for name in planes)
        row["over plane"] = row["psnr"] - best
    row |= photometry(fused, stack.truth, offset=stack.offset)
    if stack.spots is not None:
        particles = particles_of(stack)
        row |= judge_particles(stack, fused, particles)
        if Plane.XY in planes:
            alone = judge_particles(stack, planes[Plane.XY], particles)
            row |= {f"{name} xy": value for name, value in alone.items()}
    return row


def photometry(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    *,
    offset: float = 0.0,
) -> dict[str, float]:
    """Measure the slopes between estimate and truth, and the ratio of their means.

    The slope of the truth on the estimate is below 1 where the estimate varies more
    than it knows, that of the estimate on the truth where it is too flat. The estimate
    of least error has a slope on the truth of 1 minus the ratio of its error to the
    truth's variance. The ``slope of regions`` is that of the means of 8 frames of 8 x 8
    pixels, in which so much of the brightness is told that it should be 1.
    """
    slope, slope_of_truth = _slopes(estimate, truth)
    means = [float(one.mean(dtype=np.float64)) - offset for one in (estimate, truth)]
    return {
        "slope": slope,
        "slope of truth": slope_of_truth,
        "slope of regions": _slopes(_regions(estimate), _regions(truth))[0],
        "mean ratio": means[0] / means[1],
    }


def _slopes(
    estimate: Real[ndarray, "t y x"], truth: Real[ndarray, "t y x"]
) -> tuple[float, float]:
    """Give the slope of an estimate on the truth, and of the truth on the estimate."""
    seen, true = (
        one.astype(np.float64).ravel() - one.mean(dtype=np.float64)
        for one in (estimate, truth)
    )
    common, power = float(np.dot(seen, true)), float(np.dot(seen, seen))
    slope = common / float(np.dot(true, true))
    return slope, common / power if power else math.nan


def _regions(stack: Real[ndarray, "t y x"]) -> Float64[ndarray, "n m k"]:
    """Give the means of blocks; what is left over at the ends is left out."""
    edges = np.minimum(_REGION, stack.shape)
    counts = np.array(stack.shape) // edges
    kept = stack[tuple(slice(n) for n in counts * edges)].astype(np.float64)
    split = np.stack([counts, edges], axis=1).ravel()
    means: ndarray = kept.reshape(split).mean(axis=(1, 3, 5))
    return means


def judge_particles(
    stack: DevelopmentStack,
    estimate: Real[ndarray, "t y x"],
    truth: Truth | None = None,
) -> dict[str, float]:
    """Measure phantoms, flicker and delay of the particles of an estimate.

    Parameters
    ----------
    stack
        What was denoised; a stack with particles.
    estimate
        In counts.
    truth
        What `particles_of` gives for the stack, if it is at hand.

    Returns
    -------
    dict
        ``phantoms`` and ``ghosts`` per frame at a recall of 0.9 of the particles that a
        single frame can show (NaN where it is not reached), ``highest recall``,
        ``flicker`` (coefficient of variation), ``fade rate``, ``contrast`` (slope of
        the particles' brightness against the true one), ``delay`` (frames from a true
        appearance to half of its brightness; mean), ``late share`` (of appearances
        that take more than 2 frames) and ``rise`` (frames from 10 to 90 %);
        and how many ``appearances`` these are of.
    """
    truth = truth or particles_of(stack)
    detections = spots_in(stack, estimate)
    found = at_recall(detections, truth, RECALL)
    steady = continuity(estimate, stack.truth, stack.particles)
    coming = appearances(estimate, stack.truth, stack.particles, stack.events)
    return {
        "phantoms": found.phantoms_per_frame if found else math.nan,
        "ghosts": found.ghosts_per_frame if found else math.nan,
        "highest recall": score_detections(detections, truth).recall,
        "flicker": steady.flicker,
        "fade rate": steady.fade_rate,
        "contrast": steady.slope,
        "delay": coming.delay_frames,
        "late share": coming.late_share,
        "rise": coming.rise_frames,
        "appearances": coming.n_events,
    }


def particles_of(stack: DevelopmentStack) -> Truth:
    """Prepare a stack's particles, of which recall asks for those that can be seen."""
    return Truth.of(
        stack.particles,
        stack.truth.shape,
        electrons=stack.electrons,
        clean=spots_in(stack, stack.truth),
    )


def spots_in(stack: DevelopmentStack, estimate: Real[ndarray, "t y x"]) -> pd.DataFrame:
    """Find all spots of the stack's kind in an estimate of it, however weak."""
    spots = stack.spots
    if spots is None:
        raise ValueError(f"expected a stack with particles, but {stack.name} has none")
    return detect(
        estimate,
        sigmas_px=spots.sigmas_px,
        polarity=spots.polarity,
        separation_px=spots.separation_px,
    )
