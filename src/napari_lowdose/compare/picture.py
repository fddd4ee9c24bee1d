"""One frame of every result, in the same contrast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.compare.montage import Panel, ScaleBar, draw
from napari_lowdose.compare.result import Result, best
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
    limits = limits or contrast_of(np.asarray(reference.data[:]))
    frame = min(max(frame, 0), reference.shape[0] - 1)
    best = _best(results)
    panels = [
        Panel(
            title=title_of(result.name),
            caption=caption_of(result, results[0]),
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


def contrast_of(stack: Real[ndarray, "t y x"]) -> tuple[float, float]:
    """Find counts that few pixels are below or above, from about a million of them."""
    step = max(1, stack.size // 1_000_000)
    counts = stack.ravel()[::step]
    low, high = np.percentile(counts, (0.1, 99.9))
    return float(low), float(high)


def _best(results: Sequence[Result]) -> str:
    """Name the method with the highest PSNR, or the lowest thinned error."""
    return best(results, "psnr") or best(results, "thinned_mse")


def title_of(name: str) -> str:
    """Spell a method's name as people do."""
    spelled = name.replace("nonlocal", "non-local").replace("_", " ")
    return re.sub(r"(?<!\S)(x|y)(y|t)$", r"\1-\2", spelled)


def caption_of(result: Result, noisy: Result) -> str:
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
