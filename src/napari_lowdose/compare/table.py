"""One row per method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_lowdose.compare.result import SCORES, Result

if TYPE_CHECKING:
    from pandas import DataFrame


def table(results: Sequence[Result]) -> DataFrame:
    """Put results into a table of one row per method.

    Columns: method; the scores, as in `SCORES`; gain_db, PSNR above the noisy stack's,
    where there is a truth; seconds; settings as text; and error where one failed.
    """
    from pandas import DataFrame

    scored = [n for n in SCORES if any(n in r.scores for r in results)]
    before = next((r.scores.get("psnr") for r in results if r.name == "noisy"), None)
    rows = []
    for result in results:
        row: dict[str, Any] = {"method": result.name}
        row |= {name: result.scores.get(name, float("nan")) for name in scored}
        if before is not None:
            row["gain_db"] = result.scores.get("psnr", float("nan")) - before
        row["seconds"] = result.seconds
        row["settings"] = ", ".join(f"{k}={v:g}" for k, v in result.settings.items())
        if any(r.error for r in results):
            row["error"] = result.error
        rows.append(row)
    return DataFrame(rows)
