"""Many methods on one stack: their results, one table, one picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from napari_lowdose.classical import BASELINES
from napari_lowdose.compare.contest import Contest, Looks
from napari_lowdose.compare.picture import side_by_side
from napari_lowdose.compare.result import SCORES, Result
from napari_lowdose.compare.table import table
from napari_lowdose.compare.write import (
    write_results,
    write_side_by_side,
    write_table,
)
from napari_lowdose.config import Comparison
from napari_lowdose.stack import Stack

__all__ = [
    "SCORES",
    "Looks",
    "Result",
    "compare",
    "side_by_side",
    "table",
    "write_results",
    "write_side_by_side",
    "write_table",
]


def compare(
    noisy: Stack,
    *,
    truth: Stack | None = None,
    comparison: Comparison | None = None,
    denoiser: Looks | None = None,
    model: Mapping[str, Any] | None = None,
) -> Iterator[Result]:
    """Run many methods on one stack and score them, one after the other.

    Without truth, the methods also denoise a thinned movie and are scored by what was
    held out, provided that the stack looks like Poisson counts.

    Parameters
    ----------
    noisy
        Counts of shape (t, y, x).
    truth
        Expected counts in the same unit and shape.
    comparison
        Which baselines; gain, offset and seed for working without truth.
    denoiser
        A fitted denoiser, already limited to the planes that are wanted.
    model
        What the recipes of the denoiser's results tell about it.

    Yields
    ------
    Result
        noisy, the baselines (each tuned first), the denoiser's planes, and fused where
        there are several. A baseline that fails yields a result with an `error`.

    Raises
    ------
    ValueError
        If a baseline is unknown, or the truth has another shape than the noisy stack.
    UnusableStack
        If a stack has no contrast or values that are not finite.

    Warns
    -----
    UserWarning
        If there is no truth and the stack does not look like Poisson counts, so that
        only the similarity of consecutive frames is left to score by.
    """
    comparison = comparison or Comparison()
    for name in comparison.baselines:
        if name not in BASELINES:
            raise ValueError(
                f"expected baselines among {', '.join(BASELINES)}, got {name!r}"
            )
    if truth is not None and truth.shape != noisy.shape:
        raise ValueError(
            f"expected a truth of the noisy stack's shape {noisy.shape}, "
            f"got {truth.shape}"
        )
    return _comparing(noisy, truth, comparison, denoiser, model or {})


def _comparing(
    noisy: Stack,
    truth: Stack | None,
    comparison: Comparison,
    denoiser: Looks | None,
    model: Mapping[str, Any],
) -> Iterator[Result]:
    contest = Contest.prepared(noisy, truth, comparison)
    yield contest.noisy_result()
    for name in comparison.baselines:
        yield contest.baseline_result(name, BASELINES[name])
    if denoiser is not None:
        yield from contest.denoiser_results(denoiser, model)
