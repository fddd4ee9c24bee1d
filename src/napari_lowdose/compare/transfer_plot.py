"""A picture of the photon-transfer curve: variance over mean."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from napari_lowdose.compare.montage import font_of
from napari_lowdose.compare.scale import Scale
from napari_lowdose.noise import PhotonTransfer

_SIZE = (640, 480)
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 22, 620, 420  # of the plot inside the picture
_PAPER, _GRID = "#ffffff", "#e3e6ea"
_INK, _FAINT, _LINE = "#1b1f24", "#626a73", "#0b6e4f"
_FONT_PX = 14
_DOT_PX = 3
_MARGIN = 0.05


def draw_transfer(transfer: PhotonTransfer) -> Image.Image:
    """Draw the variance over the mean, with standard errors and the line."""
    sheet = Image.new("RGB", _SIZE, _PAPER)
    pen = ImageDraw.Draw(sheet)
    low = transfer.variance - transfer.variance_std
    high = transfer.variance + transfer.variance_std
    x = Scale.around(transfer.mean.tolist()).wider(_MARGIN)
    # The variance is seen against zero; the mean stands on the detector's offset.
    y = Scale.around([0.0, *low.tolist(), *high.tolist()]).wider(_MARGIN)
    _draw_grid(pen, x, y)
    line = [
        (_across(x, mean), _down(y, transfer.slope * mean + transfer.intercept))
        for mean in np.linspace(x.low, x.high, 50)
    ]
    inside = [point for point in line if _TOP <= point[1] <= _BOTTOM]
    if len(inside) > 1:
        pen.line(inside, _LINE, 2)
    for mean, variance, least, most in zip(
        transfer.mean, transfer.variance, low, high, strict=True
    ):
        at, up = _across(x, mean), _down(y, variance)
        pen.line([(at, _down(y, least)), (at, _down(y, most))], _FAINT, 1)
        pen.ellipse((at - _DOT_PX, up - _DOT_PX, at + _DOT_PX, up + _DOT_PX), fill=_INK)
    return sheet


def _across(x: Scale, value: float) -> float:
    return _LEFT + x.place(value) * (_RIGHT - _LEFT)


def _down(y: Scale, value: float) -> float:
    return _BOTTOM - y.place(value) * (_BOTTOM - _TOP)


def _draw_grid(pen: ImageDraw.ImageDraw, x: Scale, y: Scale) -> None:
    font = font_of(_FONT_PX)
    for value in x.ticks:
        at = _across(x, value)
        pen.line([(at, _TOP), (at, _BOTTOM)], _GRID)
        pen.text((at, _BOTTOM + 8), f"{value:g}", _FAINT, font, anchor="ma")
    for value in y.ticks:
        at = _down(y, value)
        pen.line([(_LEFT, at), (_RIGHT, at)], _GRID)
        pen.text((_LEFT - 8, at), f"{value:g}", _FAINT, font, anchor="rm")
    middle = ((_LEFT + _RIGHT) / 2, _SIZE[1] - 24)
    pen.text(middle, "mean (counts)", _INK, font, anchor="ma")
    pen.text((8, 2), "variance (counts squared)", _INK, font)
