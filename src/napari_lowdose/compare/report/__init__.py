"""A comparison as one page that needs nothing beside it: to read, to keep, to send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib.metadata import version
from math import inf
from pathlib import Path
from string import Template

import numpy as np
from numpy import ndarray

from napari_lowdose.compare.command import command_of
from napari_lowdose.compare.fingerprint import versions
from napari_lowdose.compare.picture import caption_of, contrast_of, title_of
from napari_lowdose.compare.report.curves import charts_of, colour_rules, legend_of
from napari_lowdose.compare.report.scores import meanings_of, number, score_table
from napari_lowdose.compare.report.views import Place, Rulers, View, spread_of
from napari_lowdose.compare.result import SCORES, Kind, Result, best
from napari_lowdose.compare.table import settings_text, with_differences
from napari_lowdose.io.atomic import PathLike, replacing
from napari_lowdose.stack import Stack

__all__ = ["report_of", "write_report"]

_PAGE = Path(__file__).with_name("page.html")


def write_report(
    results: Sequence[Result],
    path: PathLike,
    *,
    truth: Stack | None = None,
    frame: int | None = None,
    command: str = "",
) -> Path:
    """Write a comparison as one HTML file, whole or not at all.

    Parameters
    ----------
    results
        As `compare` yields them.
    path
        Where to.
    truth
        Also shown; it sets the contrast.
    frame
        Which frame to show; by default the middle one.
    command
        What repeats the comparison.

    Raises
    ------
    ValueError
        If no result has a stack.
    UnwritableFile
        If the file cannot be written.
    """
    page = report_of(results, truth=truth, frame=frame, command=command)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(path)


def report_of(
    results: Sequence[Result],
    *,
    truth: Stack | None = None,
    frame: int | None = None,
    command: str = "",
) -> str:
    """Draw the page; see `write_report`."""
    results = with_differences(results)
    stacks = {r.name: np.asarray(r.stack.data) for r in results if r.stack is not None}
    if not stacks:
        raise ValueError("expected at least one result to report, got none")
    noisy = next((r for r in results if r.kind is Kind.NOISY), results[0])
    if noisy.stack is None:
        raise ValueError("expected the noisy stack among the results to report")
    n_frames = noisy.stack.shape[0]
    frame = n_frames // 2 if frame is None else min(max(frame, 0), n_frames - 1)
    expected = None if truth is None else np.asarray(truth.data)
    charts = charts_of(stacks, noisy.name, expected)
    captions, pictures = _pictures(
        results, noisy, Rulers.of(noisy.stack), expected, frame
    )
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Comparison of methods on {noisy.stack.name}"),
        subtitle=escape(_described(noisy.stack)),
        findings=_findings(results),
        table=score_table(results),
        table_caption=escape(_table_caption(results)),
        meanings=meanings_of(results),
        pictures_caption=escape(captions),
        pictures=pictures,
        colours=colour_rules(),
        legend=legend_of([title_of(name) for name in stacks]),
        charts="".join(f"<div>{one}</div>" for one in charts),
        charts_caption=escape(_CHARTS),
        recipes="".join(_recipe(r, f"{noisy.stack.name}.tif") for r in results),
        provenance=_provenance(results, command),
    )


_CHARTS = (
    "What a method takes away should be noise alone: where the noise of neighbours is "
    "independent, its correlation is near zero, and slightly below for a filter that "
    "keeps a part of each pixel's own noise. Above zero, structure was taken away."
)


def _described(stack: Stack) -> str:
    """Say what the noisy stack is."""
    frames, rows, columns = stack.shape
    rulers = Rulers.of(stack)
    parts = [f"{frames} frames of {rows} × {columns} pixels, {stack.data.dtype}"]
    if stack.pixel_size:
        edges = " × ".join(dict.fromkeys(f"{edge:.4g}" for edge in stack.pixel_size))
        parts.append(f"{edges} {rulers.unit} per pixel")
    if stack.frame_interval_s:
        parts.append(f"{stack.frame_interval_s:.4g} s per frame")
    return "; ".join(parts)


def _as_good(results: Sequence[Result], first: str) -> str:
    """Name those that held-out counts cannot tell from the best one."""
    near = [
        title_of(r.name)
        for r in results
        if r.name != first
        and r.scores.get("thinned_excess", inf)
        < 2 * r.std_errors.get("thinned_excess", 0.0)
    ]
    return f" It cannot be told from {', '.join(near)}." if near else ""


def _findings(results: Sequence[Result]) -> str:
    """Say what the comparison found, and what did not work."""
    lines = []
    for name in ("psnr", "thinned_mse"):
        first = best(results, name)
        found = next((r for r in results if r.name == first), None)
        if found is not None:
            value = f"{number(found.scores[name])} {SCORES[name].unit}"
            gain = found.scores.get("gain_db") if name == "psnr" else None
            more = f", {number(gain)} dB above the noisy stack" if gain else ""
            words = "highest PSNR" if name == "psnr" else "lowest thinned error"
            lines.append(
                f"<p><b>{escape(title_of(first))}</b> has the {words}: "
                f"{escape(value + more)}.{escape(_as_good(results, first))}</p>"
            )
            break
    else:
        lines.append(
            '<p class="warn">Neither a truth nor counts that can be held out: the '
            "scores below cannot rank the methods, and some reward blur.</p>"
        )
    failed = [r for r in results if r.error]
    notes = dict.fromkeys(note for result in results for note in result.notes)
    items = [f"<li>{escape(r.name)}: {escape(r.error)}</li>" for r in failed]
    items += [f"<li>{escape(note)}</li>" for note in notes]
    return "".join(lines) + (f'<ul class="warn">{"".join(items)}</ul>' if items else "")


def _table_caption(results: Sequence[Result]) -> str:
    text = (
        "Click a heading to sort. Below a score is its standard error, where it is "
        "known: that of the number alone; differences between methods on the same "
        "movie are surer. Time is that of denoising the whole stack, without tuning. "
        "Memory is how far the process grew meanwhile at the most, that of a GPU left "
        "out."
    )
    earlier = [result.name for result in results if result.cached]
    if earlier:
        text += f" Taken from an earlier comparison: {', '.join(earlier)}."
    return text


def _pictures(
    results: Sequence[Result],
    noisy: Result,
    rulers: Rulers,
    truth: ndarray | None,
    frame: int,
) -> tuple[str, str]:
    """Draw all results at one place in one contrast; say which."""
    shown = {r.name: np.asarray(r.stack.data) for r in results if r.stack is not None}
    counts = shown[noisy.name]
    leading = best(results, "psnr") or best(results, "thinned_mse") or [*shown][-1]
    reference = shown[leading] if truth is None else truth
    view = View(
        Place.busiest(reference, frame),
        rulers,
        contrast_of(reference),
        spread_of(counts, reference, frame),
    )
    strips = []
    for result in results:
        if result.name in shown:
            given = None if result is noisy else counts
            drawn = view.figures(result.name, shown[result.name], given)
            score = caption_of(result, noisy)
            strips.append(_strip(title_of(result.name), score, drawn))
    if truth is not None:
        drawn = view.figures("truth", truth, counts)
        strips.append(_strip("truth", "expected counts", drawn))
    (low, high), place = view.limits, view.place
    caption = (
        f"Frame {frame + 1} of {len(reference)}, a window of it, and row {place.row} "
        f"and column {place.column} (dashed) through time, all from {low:.3g} (black) "
        f"to {high:.3g} (white) counts. Last, the noisy frame less the result, from "
        f"−{view.spread:.3g} to {view.spread:.3g} counts: what was taken away as "
        "noise. Click a picture to enlarge it."
    )
    return caption, "".join(strips)


def _strip(title: str, score: str, figures: Iterator[str]) -> str:
    return (
        f'<h3>{escape(title)} <span class="score">{escape(score)}</span></h3>'
        f'<div class="pictures">{"".join(figures)}</div>'
    )


def _recipe(result: Result, noisy: str) -> str:
    """Tell all that is known of how a result was made."""
    if result.stack is None:
        return ""
    terms = {"settings": settings_text(result.settings), "tuned by": result.criterion}
    step = result.stack.recipe[-1] if result.stack.recipe else {}
    if result.kind is not Kind.NOISY:
        terms["command"] = command_of(step, noisy=noisy)
    told = "".join(
        f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>"
        for term, text in terms.items()
        if text
    )
    recipe = json.dumps(list(result.stack.recipe), indent=1, default=str)
    return (
        f"<details><summary>{escape(title_of(result.name))}</summary><dl>{told}</dl>"
        f"<pre>{escape(recipe)}</pre></details>"
    )


def _provenance(results: Sequence[Result], command: str) -> str:
    """Tell what repeats the comparison, and with which numbers it can be checked."""
    steps = [r.stack.recipe[-1] for r in results if r.stack and r.stack.recipe]
    hashes = {
        key: str(step[key])
        for step in steps
        for key in ("input_sha256", "truth_sha256")
        if key in step
    }
    program = {"napari-lowdose": version("napari-lowdose"), **versions()}
    terms = {
        "SHA-256 of the noisy stack": hashes.get("input_sha256", ""),
        "SHA-256 of the truth": hashes.get("truth_sha256", ""),
        "versions": ", ".join(f"{name} {number}" for name, number in program.items()),
    }
    told = "".join(
        f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>"
        for term, text in terms.items()
        if text
    )
    said = f"<pre>{escape(command)}</pre>" if command else ""
    return f"{said}<dl>{told}</dl>"
