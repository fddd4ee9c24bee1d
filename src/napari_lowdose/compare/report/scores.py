"""The table of scores on a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isfinite, nan

from napari_lowdose.compare.result import MAIN_SCORES, SCORES, Result, best
from napari_lowdose.compare.table import settings_text

_SPELLED = {
    **{word: word.upper() for word in ("psnr", "ssim", "mse", "css", "frc", "rsd")},
    "umse": "uMSE",
    "upsnr": "uPSNR",
    "chi2": "χ²",
}


def score_table(results: Sequence[Result]) -> str:
    """Draw one row per result, the best of each score marked; failures have no scores.

    Scores that are not among the main ones can be hidden.
    """
    shown = scores_shown(results)
    best_of = {name: best(results, name) for name in shown}
    heads = [
        '<th class="text">method</th>',
        *(_head(name) for name in shown),
        "<th>time<br>s</th>",
        "<th>memory<br>MB</th>",
        '<th class="text">settings</th>',
    ]
    rows = [_row(result, shown, best_of) for result in results]
    return (
        f'<table class="sortable"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def meanings_of(results: Sequence[Result]) -> str:
    """Explain the scores that there are."""
    terms = [
        f"<dt>{escape(_words(name))}</dt><dd>{escape(SCORES[name].summary)} "
        f"({escape(SCORES[name].direction)})</dd>"
        for name in scores_shown(results)
    ]
    return f"<dl>{''.join(terms)}</dl>"


def scores_shown(results: Sequence[Result]) -> list[str]:
    """List the scores that any result has, the main ones first."""
    order = [*MAIN_SCORES, *(name for name in SCORES if name not in MAIN_SCORES)]
    return [name for name in order if any(name in r.scores for r in results)]


def number(value: float) -> str:
    """Write a number for a person; a dash where there is none."""
    return f"{value:.4g}".replace("-", "−") if isfinite(value) else "–"


def _head(name: str) -> str:
    how = SCORES[name]
    tooltip = escape(f"{how.summary} ({how.direction})")
    words = escape(_words(name)).replace(" ", "<br>")
    unit = f"<br>{escape(how.unit)}" if how.unit else ""
    return f'<th title="{tooltip}"{_more(name)}>{words}{unit}</th>'


def _row(result: Result, shown: Sequence[str], best_of: dict[str, str]) -> str:
    cells = [_text(result.name)]
    if result.error:
        span = f'class="text warn" colspan="{len(shown) + 3}"'
        cells.append(f"<td {span}>{escape(result.error)}</td>")
        return f"<tr>{''.join(cells)}</tr>"
    for name in shown:
        marks = "best" if best_of[name] == result.name else ""
        error = result.std_errors.get(name, nan)
        value = result.scores.get(name, nan)
        cells.append(_number(value, error, _more(name, marks)))
    cells += [_number(float(f"{n:.3g}")) for n in (result.seconds, result.memory_mb)]
    cells.append(_text(settings_text(result.settings)))
    return f"<tr>{''.join(cells)}</tr>"


def _text(text: str) -> str:
    return f'<td class="text" data-value="{escape(text)}">{escape(text)}</td>'


def _number(value: float, error: float = nan, marks: str = "") -> str:
    kept = repr(float(value)) if isfinite(value) else ""
    chance = f" <small>± {error:.2g}</small>" if isfinite(error) else ""
    return f'<td data-value="{kept}"{marks}>{number(value)}{chance}</td>'


def _more(name: str, marks: str = "") -> str:
    classes = [marks, "" if name in MAIN_SCORES else "more"]
    kept = " ".join(word for word in classes if word)
    return f' class="{kept}"' if kept else ""


def _words(name: str) -> str:
    """Spell a score's name as people do; its unit stands beside it."""
    words = name.removesuffix("_db").split("_")
    return " ".join(_SPELLED.get(word, word) for word in words)
