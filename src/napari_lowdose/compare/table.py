"""One row per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lowdose.compare.result import SCORES, Result, best
from napari_lowdose.metrics import UnseenError

if TYPE_CHECKING:
    from pandas import DataFrame


def table(
    results: Sequence[Result], *, scores: Sequence[str] = tuple(SCORES)
) -> DataFrame:
    """Put results into a table of one row per method.

    Columns: method; the scores, as in `SCORES`, those of `with_differences` among them;
    seconds and memory_mb; settings as text; cached; and error where one failed.

    Parameters
    ----------
    results
        As `compare` yields them.
    scores
        Which of `SCORES`.
    """
    from pandas import DataFrame

    results = with_differences(results)
    shown = [n for n in scores if any(n in r.scores for r in results)]
    rows = []
    for result in results:
        row: dict[str, Any] = {"method": result.name}
        row |= {name: result.scores.get(name, nan) for name in shown}
        row["seconds"] = result.seconds
        row["memory_mb"] = result.memory_mb
        row["settings"] = settings_text(result.settings)
        if any(r.cached for r in results):
            row["cached"] = result.cached
        if any(r.error for r in results):
            row["error"] = result.error
        rows.append(row)
    return DataFrame(rows)


def with_differences(results: Sequence[Result]) -> list[Result]:
    """Add to the scores what they are beside those of other methods.

    gain_db where the noisy stack and a result have a PSNR, and thinned_excess with its
    standard error where results were judged by the same held-out counts.
    """
    return _with_excess(_with_gain(results))


def _with_gain(results: Sequence[Result]) -> list[Result]:
    before = next((r.scores.get("psnr") for r in results if r.kind == "noisy"), None)
    if before is None:
        return [*results]
    return [
        replace(r, scores={**r.scores, "gain_db": r.scores["psnr"] - before})
        if "psnr" in r.scores
        else r
        for r in results
    ]


def _with_excess(results: Sequence[Result]) -> list[Result]:
    first = best(results, "thinned_mse")
    lowest = next((r for r in results if r.name == first), None)
    if lowest is None or not len(lowest.tiles):
        return [*results]
    return [_above(result, lowest) for result in results]


def _above(result: Result, lowest: Result) -> Result:
    """Compare two results tile by tile, in the counts squared of their scores."""
    if not len(result.tiles):
        return result
    sums, least = np.asarray(result.tiles), np.asarray(lowest.tiles)
    # The seed only draws tiles, and all rows are to be drawn alike.
    found = UnseenError(sums).above(UnseenError(least), np.random.default_rng(0))
    return replace(
        result,
        scores={**result.scores, "thinned_excess": found.value},
        std_errors={**result.std_errors, "thinned_excess": found.std_error},
    )


def settings_text(settings: Mapping[str, float | str]) -> str:
    """Write settings on one line."""
    return ", ".join(
        f"{name}={value if isinstance(value, str) else format(value, 'g')}"
        for name, value in settings.items()
    )
