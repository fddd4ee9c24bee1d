"""A picture of the photon-transfer curve: variance over mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL import Image, ImageDraw

from napari_lowdose.compare.montage import font_of
from napari_lowdose.noise import PhotonTransfer

_SIZE = (640, 480)
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 22, 20, 60
_PAPER, _INK, _FAINT, _GRID, _LINE = (
    "#ffffff",
    "#1b1f24",
    "#626a73",
    "#e3e6ea",
    "#0b6e4f",
)
_FONT_PX = 14
_DOT_PX = 3


@dataclass(frozen=True)
class _Axis:
    """A range of values on a range of pixels."""

    low: float
    high: float
    start: int
    stop: int

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Give round values, about five."""
        step = round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def round_step(least: float) -> float:
    """Find the first of 1, 2, 5, 10, 20, ... (times a power of ten) not below."""
    decade = 10.0 ** math.floor(math.log10(least))
    return next(n * decade for n in (1, 2, 5, 10) if n * decade >= least * (1 - 1e-9))


def draw_transfer(transfer: PhotonTransfer) -> Image.Image:
    """Draw how the variance follows the mean, with error bars and the line."""
    sheet = Image.new("RGB", _SIZE, _PAPER)
    pen = ImageDraw.Draw(sheet)
    x = _around(transfer.mean, _LEFT, _SIZE[0] - _RIGHT)
    spread = 1.96 * transfer.variance_std
    tops = np.concatenate([transfer.variance, transfer.variance + spread])
    # The variance is seen against zero; the mean stands on the detector's offset.
    y = _around(np.append(tops, 0.0), _SIZE[1] - _BOTTOM, _TOP)
    _draw_grid(pen, x, y)
    line = [
        (x(mean), y(transfer.slope * mean + transfer.intercept))
        for mean in np.linspace(x.low, x.high, 50)
    ]
    inside = [point for point in line if _TOP <= point[1] <= _SIZE[1] - _BOTTOM]
    if len(inside) > 1:
        pen.line(inside, _LINE, 2)
    for mean, variance, bar in zip(
        transfer.mean, transfer.variance, spread, strict=True
    ):
        at = x(mean)
        pen.line([(at, y(variance - bar)), (at, y(variance + bar))], _FAINT, 1)
        box = (at - _DOT_PX, y(variance) - _DOT_PX, at + _DOT_PX, y(variance) + _DOT_PX)
        pen.ellipse(box, fill=_INK)
    return sheet


def _around(values: Float[ndarray, " n"], start: int, stop: int) -> _Axis:
    """Hold all values, with a margin on both sides."""
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low or 1.0)
    return _Axis(low - margin, high + margin, start, stop)


def _draw_grid(pen: ImageDraw.ImageDraw, x: _Axis, y: _Axis) -> None:
    font = font_of(_FONT_PX)
    for value in x.ticks():
        pen.line([(x(value), _TOP), (x(value), y.start)], _GRID)
        pen.text((x(value), y.start + 8), f"{value:g}", _FAINT, font, anchor="ma")
    for value in y.ticks():
        pen.line([(x.start, y(value)), (x.stop, y(value))], _GRID)
        pen.text((x.start - 8, y(value)), f"{value:g}", _FAINT, font, anchor="rm")
    middle = ((x.start + x.stop) / 2, _SIZE[1] - 24)
    pen.text(middle, "mean (counts)", _INK, font, anchor="ma")
    pen.text((8, 2), "variance (counts squared)", _INK, font)
