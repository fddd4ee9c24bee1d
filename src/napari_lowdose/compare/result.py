"""What a method made of a stack, and how its scores are to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite, nan

from napari_lowdose.metrics import EVERY_SCORE, Score
from napari_lowdose.stack import Stack

SCORES: Mapping[str, Score] = {
    # What is a property of the noisy stack alone would be the same in every row.
    **{name: how for name, how in EVERY_SCORE.items() if not name.startswith("noisy_")},
    "gain_db": Score(
        unit="dB",
        higher_is_better=True,
        summary="PSNR above that of the noisy stack; the range drops out.",
    ),
    "thinned_excess": Score(
        unit="counts²",
        higher_is_better=False,
        summary="Thinned mean squared error above the lowest one, of which it is so "
        "much better than chance alone would make it. All methods are judged by the "
        "same held-out counts, so that close ones can be told apart: two standard "
        "errors or more are a difference.",
        range="from 0",
    ),
}
"""How every score of a table is to be read."""

MAIN_SCORES = (
    "psnr",
    "gain_db",
    "ssim",
    "thinned_mse",
    "thinned_excess",
    "slope",
    "residual_chi2",
    "residual_next",
    "css_plain",
)
"""Those to look at first, where there is no room for all."""


class Kind(StrEnum):
    """What a result comes from."""

    NOISY = "noisy"  # the stack itself
    BASELINE = "baseline"  # a classical method
    MODEL = "model"  # networks
    FILE = "file"  # made elsewhere


@dataclass(frozen=True)
class Result:
    """What one method made of the noisy stack.

    Parameters
    ----------
    name
        That of the method, followed by the plane for what one direction of a model
        made; unique within a comparison.
    stack
        The estimate, float32 counts, in the noisy stack's place; None if it failed.
    scores
        By name, as in `SCORES`.
    seconds
        Time to denoise, without tuning and scoring; NaN for results made elsewhere. The
        planes are estimated together: each gets an equal share of the time, and the
        fused estimate the whole of it.
    settings
        What was tuned; for a model, the planes and their fusion.
    criterion
        By what it was tuned, in one sentence.
    error
        Why there is no stack, in one sentence; empty when there is one.
    kind
        What it comes from.
    memory_mb
        How far the process grew meanwhile, in millions of bytes, as
        `napari_lowdose.compare.cost.Cost` says; for a plane, that of all of them.
    notes
        Sentences the user should read.
    cached
        Whether it was taken from an earlier comparison, time and memory included.
    std_errors
        How far chance may have moved each score; NaN where that is not known.
    tiles
        The thinned squared error summed over each tile, and its voxels, where the
        method was judged by held-out counts; pairs of results are compared by them.
    """

    name: str
    stack: Stack | None
    scores: dict[str, float]
    seconds: float
    settings: Mapping[str, float | str]
    criterion: str = ""
    error: str = ""
    kind: Kind = Kind.BASELINE
    memory_mb: float = nan
    notes: tuple[str, ...] = ()
    cached: bool = False
    std_errors: Mapping[str, float] = field(default_factory=dict)
    tiles: Sequence[Sequence[float]] = field(default=(), compare=False, repr=False)


def best(results: Sequence[Result], name: str) -> str:
    """Name the result with the best value of a score; empty when none has one."""
    values = {
        result.name: result.scores[name]
        for result in results
        if isfinite(result.scores.get(name, nan))
    }
    if not values:
        return ""
    how = SCORES[name]
    if how.best is not None:
        return min(values, key=lambda one: abs(values[one] - (how.best or 0.0)))
    return (max if how.higher_is_better else min)(values, key=values.__getitem__)
