"""What differs from frame to frame and from pixel to pixel, as line charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float, Float64, Real
from numpy import ndarray

from napari_lowdose.compare.scale import Scale
from napari_lowdose.metrics import data_range

# Told apart by most eyes, on white as on black (after P. Tol).
COLOURS = (
    "#8a9099", "#4a86d8", "#e0614f", "#2f9e57", "#c79a1c", "#29a7b8", "#b254b0",
    "#e8852b", "#7a6ff0", "#94a82c", "#d45d93", "#5f8f8a",
)  # fmt: skip
_SIZE = (560, 280)
_LEFT, _TOP, _RIGHT, _BOTTOM = 58, 30, 548, 236
_MOST_POINTS = 400
_MOST_FRAMES = 64  # that correlations are measured on
_LAGS = 8


@dataclass(frozen=True)
class Line:
    """One curve: where it is drawn, and the number of its colour."""

    name: str
    colour: int
    x: Float64[ndarray, " n"]
    y: Float64[ndarray, " n"]


def charts_of(
    stacks: Mapping[str, Real[ndarray, "t y x"]],
    noisy: str,
    truth: Real[ndarray, "t y x"] | None,
) -> list[str]:
    """Draw how results differ in time, and whether what they take away is noise.

    Parameters
    ----------
    stacks
        Results by name, in the order of their colours.
    noisy
        Which of them is the noisy stack.
    truth
        Expected counts, where they are known.
    """
    number = {name: i for i, name in enumerate(stacks)}

    def lines(curves: Mapping[str, ndarray], first: float) -> list[Line]:
        return [
            Line(name, number[name], *_thinned_out(first + np.arange(len(y)), y))
            for name, y in curves.items()
        ]

    charts = []
    if truth is not None:
        span = data_range(truth)
        psnr = {name: _psnr_by_frame(s, truth, span) for name, s in stacks.items()}
        charts.append(chart("PSNR of each frame (dB)", "frame", lines(psnr, 1)))
    means = {name: s.mean(axis=(1, 2), dtype=np.float64) for name, s in stacks.items()}
    charts.append(chart("Mean of each frame (counts)", "frame", lines(means, 1)))
    some = _middle(len(stacks[noisy]))
    residuals = {
        name: stacks[noisy][some].astype(np.float32) - stack[some]
        for name, stack in stacks.items()
        if name != noisy
    }
    for axis, unit in ((2, "pixels in x"), (0, "frames")):
        found = {n: residual_correlation(r, axis) for n, r in residuals.items()}
        found = {name: curve for name, curve in found.items() if len(curve)}
        if found:
            title = f"Correlation of what was taken away, over {unit}"
            charts.append(chart(title, unit, lines(found, 1), zero=True))
    return charts


def residual_correlation(
    residual: Float[ndarray, "t y x"], axis: int
) -> Float64[ndarray, " lag"]:
    """Correlate what was taken away with itself, 1, 2, … steps along an axis.

    Independent noise gives zero at each lag; what is alike from place to place was more
    than noise. Empty where the axis is too short, or nothing was taken away.
    """
    centred = np.moveaxis(residual - residual.mean(dtype=np.float64), axis, 0)
    power = float(np.mean(centred**2, dtype=np.float64))
    lags = range(1, min(_LAGS, len(centred) // 2) + 1)
    if power == 0:
        return np.empty(0)
    return np.array([
        np.mean(centred[:-lag] * centred[lag:], dtype=np.float64) / power
        for lag in lags
    ])  # fmt: skip


def chart(
    title: str, x_label: str, lines: Sequence[Line], *, zero: bool = False
) -> str:
    """Draw lines into axes, as a picture of a page.

    Parameters
    ----------
    title
        Says what is drawn upwards.
    x_label
        What is drawn to the right.
    lines
        At least one.
    zero
        Whether zero must be in sight.
    """
    values = np.concatenate([line.y[np.isfinite(line.y)] for line in lines])
    values = np.append(values, 0.0) if zero or not len(values) else values
    x = Scale.around(np.concatenate([line.x for line in lines]).tolist())
    y = Scale.around(values.tolist()).wider(0.06)
    parts = [
        f'<svg viewBox="0 0 {_SIZE[0]} {_SIZE[1]}" role="img" '
        f'aria-label="{escape(title)}">',
        _text(title, _LEFT, 16, "start", "title"),
        _text(x_label, (_LEFT + _RIGHT) / 2, _SIZE[1] - 6, "middle"),
    ]
    for tick in y.ticks:
        at = _down(y, tick)
        ends = f'x1="{_LEFT}" x2="{_RIGHT}" y1="{at}" y2="{at}"'
        parts.append(f'<line class="grid" {ends}/>')
        parts.append(_text(_short(tick), _LEFT - 8, at + 4, "end"))
    for tick in x.ticks:
        parts.append(_text(_short(tick), _across(x, tick), _BOTTOM + 18, "middle"))
    for line in lines:
        points = " ".join(
            f"{_across(x, a)},{_down(y, b)}"
            for a, b in zip(line.x, line.y, strict=True)
            if np.isfinite(b)
        )
        parts.append(
            f'<polyline class="c{line.colour % len(COLOURS)}" points="{points}">'
            f"<title>{escape(line.name)}</title></polyline>"
        )
    return "".join([*parts, "</svg>"])


def legend_of(names: Sequence[str]) -> str:
    """Say which colour is which result."""
    return " ".join(
        f'<span><i class="c{i % len(COLOURS)}"></i>{escape(name)}</span>'
        for i, name in enumerate(names)
    )


def colour_rules() -> str:
    """Give each number its colour, for lines and the legend."""
    return "\n".join(
        f"svg .c{i} {{ stroke: {colour}; }} .legend .c{i} {{ border-color: {colour}; }}"
        for i, colour in enumerate(COLOURS)
    )


def _psnr_by_frame(
    stack: Real[ndarray, "t y x"], truth: Real[ndarray, "t y x"], span: float
) -> Float64[ndarray, " t"]:
    errors = np.array([
        np.mean((one.astype(np.float64) - other) ** 2)
        for one, other in zip(stack, truth, strict=True)
    ])  # fmt: skip
    with np.errstate(divide="ignore"):
        level: ndarray = 10 * np.log10(span**2 / errors)
    return level


def _middle(n_frames: int) -> slice:
    first = max((n_frames - _MOST_FRAMES) // 2, 0)
    return slice(first, first + _MOST_FRAMES)


def _thinned_out(x: ndarray, y: ndarray) -> tuple[ndarray, ndarray]:
    """Average neighbours of a curve that has more points than a screen shows."""
    step = -(-len(x) // _MOST_POINTS)
    starts = np.arange(0, len(x), step)
    sizes = np.diff(starts, append=len(x))
    return np.add.reduceat(x, starts) / sizes, np.add.reduceat(y, starts) / sizes


def _across(x: Scale, value: float) -> float:
    return round(_LEFT + x.place(value) * (_RIGHT - _LEFT), 1)


def _down(y: Scale, value: float) -> float:
    return round(_BOTTOM - y.place(value) * (_BOTTOM - _TOP), 1)


def _text(text: str, x: float, y: float, anchor: str, kind: str = "tick") -> str:
    place = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
