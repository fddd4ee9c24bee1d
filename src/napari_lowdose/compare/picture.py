"""One frame of every result, in the same contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_lowdose.compare.montage import Panel, ScaleBar, draw
from napari_lowdose.compare.result import Result
from napari_lowdose.io.units import unit_symbol
from napari_lowdose.metrics import data_range
from napari_lowdose.stack import Stack

if TYPE_CHECKING:
    from PIL.Image import Image


def side_by_side(
    results: Sequence[Result],
    *,
    frame: int,
    truth: Stack | None = None,
    limits: tuple[float, float] | None = None,
) -> Image:
    """Draw one frame of all results in the same contrast, the truth last.

    Parameters
    ----------
    results
        As `compare` yields them; failed ones are left out.
    frame
        Which frame, from 0; beyond the last one, the last.
    truth
        Shown as a panel of its own, and sets the contrast.
    limits
        Counts shown black and white. By default the 0.1 and 99.9 percentiles of the
        truth, else of the last result, over all frames.

    Raises
    ------
    ValueError
        If no result has a stack.
    """
    shown = [(result, result.stack) for result in results if result.stack is not None]
    if not shown:
        raise ValueError("expected at least one result to draw, got none")
    reference = truth or shown[-1][1]
    limits = limits or _contrast(reference)
    frame = min(max(frame, 0), reference.shape[0] - 1)
    best = _best(results)
    panels = [
        Panel(
            title=_title(result.name),
            caption=_caption(result, results[0]),
            image=np.asarray(stack.data[frame], np.float32),
            marked=result.name == best,
        )
        for result, stack in shown
    ]
    if truth is not None:
        image = np.asarray(truth.data[frame], np.float32)
        panels.append(Panel("truth", "expected counts", image))
    footer = (
        f"{shown[0][1].name}: frame {frame + 1} of {reference.shape[0]}, all panels "
        f"from {limits[0]:.3g} (black) to {limits[1]:.3g} (white) counts"
    )
    if truth is not None:
        span = data_range(np.asarray(truth.data[:]))
        footer += f"; PSNR of the range {span:.3g} counts"
    bar = _scale_bar(reference)
    return draw(panels, limits=limits, bar=bar, footer=footer)


def _contrast(stack: Stack) -> tuple[float, float]:
    """Find counts that few pixels are below or above, from about a million of them."""
    step = max(1, stack.shape[0] * stack.shape[1] * stack.shape[2] // 1_000_000)
    counts = np.asarray(stack.data[:]).ravel()[::step]
    low, high = np.percentile(counts, (0.1, 99.9))
    return float(low), float(high)


def _best(results: Sequence[Result]) -> str:
    """Name the method with the highest PSNR, or the lowest thinned error."""
    rated = [r for r in results if "psnr" in r.scores]
    if rated:
        return max(rated, key=lambda result: result.scores["psnr"]).name
    rated = [r for r in results if "thinned_mse" in r.scores]
    return min(rated, key=lambda r: r.scores["thinned_mse"]).name if rated else ""


def _title(name: str) -> str:
    """Spell a method's name as people do."""
    planes = {"xy": "x-y", "xt": "x-t", "yt": "y-t"}
    return planes.get(name, name.replace("nonlocal", "non-local").replace("_", " "))


def _caption(result: Result, noisy: Result) -> str:
    """Choose the score that says most of those there are."""
    scores = result.scores
    if "psnr" in scores:
        gain = scores["psnr"] - noisy.scores.get("psnr", scores["psnr"])
        more = "" if result is noisy else f"  ({gain:+.1f} dB)".replace("-", "−")
        return f"PSNR {scores['psnr']:.2f} dB{more}"
    if "thinned_mse" in scores:
        return f"thinned MSE {scores['thinned_mse']:.3g} counts²"
    return f"CSS {scores['css']:.3f}" if "css" in scores else ""


def _scale_bar(stack: Stack) -> ScaleBar | None:
    """Make a bar in the stack's unit; none when the pixel size is unknown."""
    if stack.pixel_size is None:
        return None
    symbol = unit_symbol(stack.pixel_unit)
    return ScaleBar.fitting(stack.shape[2], stack.pixel_size[1], symbol)
