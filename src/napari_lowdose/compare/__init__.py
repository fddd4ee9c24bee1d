"""Many methods on one stack: their results, one table, one picture, one report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from napari_lowdose.compare.cache import Cache
from napari_lowdose.compare.command import command_of, compare_command
from napari_lowdose.compare.contest import Contest
from napari_lowdose.compare.given import OwnResult, Untouched
from napari_lowdose.compare.method import Method, ran
from napari_lowdose.compare.methods import methods_of
from napari_lowdose.compare.model_method import (
    Looks,
    ModelMethod,
    OpenedModel,
    OpenModel,
)
from napari_lowdose.compare.picture import side_by_side
from napari_lowdose.compare.report import write_report
from napari_lowdose.compare.result import MAIN_SCORES, SCORES, Kind, Result, best
from napari_lowdose.compare.table import table
from napari_lowdose.compare.write import (
    file_stems,
    write_results,
    write_side_by_side,
    write_table,
)
from napari_lowdose.config import Comparison
from napari_lowdose.stack import Stack

__all__ = [
    "MAIN_SCORES",
    "SCORES",
    "Cache",
    "Contest",
    "Kind",
    "Looks",
    "Method",
    "ModelMethod",
    "OpenModel",
    "OpenedModel",
    "OwnResult",
    "Result",
    "Untouched",
    "best",
    "command_of",
    "compare",
    "compare_command",
    "file_stems",
    "methods_of",
    "ran",
    "refuse_unlike",
    "side_by_side",
    "table",
    "write_report",
    "write_results",
    "write_side_by_side",
    "write_table",
]


def compare(
    noisy: Stack,
    *,
    truth: Stack | None = None,
    comparison: Comparison | None = None,
    methods: Sequence[Method] | None = None,
    cache: Cache | None = None,
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
        Which methods; gain, offset and seed for working without truth.
    methods
        Instead of those that `methods_of` finds in `comparison`.
    cache
        Where results are looked for first and kept; None: neither.

    Yields
    ------
    Result
        noisy; the baselines, each tuned first; of each model the planes and what they
        fuse to; and results made elsewhere. What cannot run, or fails, yields a result
        with an `error`.

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
    methods = methods_of(comparison) if methods is None else methods
    refuse_unlike(noisy, truth)
    return _comparing(noisy, truth, comparison, methods, cache)


def refuse_unlike(noisy: Stack, truth: Stack | None) -> None:
    """Refuse a truth that cannot be compared with.

    Raises
    ------
    ValueError
        If it has another shape than the noisy stack.
    """
    if truth is not None and truth.shape != noisy.shape:
        raise ValueError(
            f"expected a truth of the noisy stack's shape {noisy.shape}, "
            f"got {truth.shape}; choose the truth of this movie"
        )


def _comparing(
    noisy: Stack,
    truth: Stack | None,
    comparison: Comparison,
    methods: Sequence[Method],
    cache: Cache | None,
) -> Iterator[Result]:
    contest = Contest.prepared(noisy, truth, comparison)
    for method in (Untouched(), *methods):
        yield from ran(method, contest, cache)
