"""One row per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

from napari_lowdose.compare.result import SCORES, Result

if TYPE_CHECKING:
    from pandas import DataFrame


def table(
    results: Sequence[Result], *, scores: Sequence[str] = tuple(SCORES)
) -> DataFrame:
    """Put results into a table of one row per method.

    Columns: method; the scores, as in `SCORES`; gain_db, PSNR above the noisy stack's,
    where there is a truth; seconds and memory_mb; settings as text; cached; and error
    where one failed.

    Parameters
    ----------
    results
        As `compare` yields them.
    scores
        Which of `SCORES`.
    """
    from pandas import DataFrame

    results = with_gain(results)
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


def with_gain(results: Sequence[Result]) -> list[Result]:
    """Add gain_db to the scores, where the noisy stack and a result have a PSNR."""
    before = next((r.scores.get("psnr") for r in results if r.kind == "noisy"), None)
    if before is None:
        return [*results]
    return [
        replace(r, scores={**r.scores, "gain_db": r.scores["psnr"] - before})
        if "psnr" in r.scores
        else r
        for r in results
    ]


def settings_text(settings: Mapping[str, float | str]) -> str:
    """Write settings on one line."""
    return ", ".join(
        f"{name}={value if isinstance(value, str) else format(value, 'g')}"
        for name, value in settings.items()
    )
