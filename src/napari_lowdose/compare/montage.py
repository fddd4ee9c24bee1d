"""Drawing panels side by side: same contrast, same scale, legible captions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont

_COLUMNS = 4
_PANEL_PX = (280, 560)  # least width of a panel, and its largest edge
_GAP = 14
_TITLE_PX, _CAPTION_PX, _FOOTER_PX = 18, 14, 13
_HEAD = 48  # room above a panel for title and caption
_PAPER, _INK, _FAINT, _MARK = "#ffffff", "#1b1f24", "#626a73", "#0b6e4f"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Panel:
    """One image with its words.

    Parameters
    ----------
    title, caption
        Set above the image; the title is bold when `marked`.
    image
        Counts of shape (y, x).
    marked
        Whether it stands out by colour and a frame.
    """

    title: str
    caption: str
    image: Float[ndarray, "y x"]
    marked: bool = False


@dataclass(frozen=True)
class ScaleBar:
    """A bar of known length.

    Parameters
    ----------
    length_px
        In pixels of the stack.
    label
        Its length with the unit.
    """

    length_px: float
    label: str

    @classmethod
    def fitting(cls, width_px: int, pixel: float, symbol: str) -> ScaleBar:
        """Choose 1, 2 or 5 times a power of ten, up to a third of the width.

        Parameters
        ----------
        width_px
            Width of the frame, in pixels.
        pixel, symbol
            Edge of a pixel and the symbol of its unit.
        """
        most = width_px * pixel / 3
        decade = 10.0 ** math.floor(math.log10(most))
        length = max(n * decade for n in (1, 2, 5) if n * decade <= most * (1 + 1e-9))
        return cls(length / pixel, f"{length:g} {symbol}")


def draw(
    panels: Sequence[Panel],
    *,
    limits: tuple[float, float],
    bar: ScaleBar | None = None,
    footer: str = "",
) -> Image.Image:
    """Arrange panels of the same shape in rows of at most four.

    Small images are magnified by whole numbers without smoothing, so that a pixel stays
    a pixel; large ones are averaged down.

    Parameters
    ----------
    panels
        At least one.
    limits
        Counts shown black and white.
    bar
        Drawn into the first panel.
    footer
        A line below.
    """
    zoom = _zoom(panels[0].image.shape)
    tiles = [_tile(panel.image, limits, zoom) for panel in panels]
    width, height = tiles[0].size
    columns = min(_columns(len(tiles)), len(tiles))
    rows = -(-len(tiles) // columns)
    foot = _GAP + _FOOTER_PX + 6 if footer else 0
    sheet = Image.new(
        "RGB",
        (
            _GAP + columns * (width + _GAP),
            _GAP + rows * (_HEAD + height + _GAP) + foot,
        ),
        _PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    for i, (panel, tile) in enumerate(zip(panels, tiles, strict=True)):
        x = _GAP + i % columns * (width + _GAP)
        y = _GAP + i // columns * (_HEAD + height + _GAP)
        _write_head(pen, panel, x, y, width)
        sheet.paste(tile, (x, y + _HEAD))
        if panel.marked:
            box = (x - 3, y + _HEAD - 3, x + width + 2, y + _HEAD + height + 2)
            pen.rectangle(box, outline=_MARK, width=3)
    if bar:
        _draw_bar(pen, bar, zoom, (_GAP, _GAP + _HEAD, width, height))
    if footer:
        place = (_GAP, sheet.height - foot + 2)
        font = _fitted(footer, _FOOTER_PX, sheet.width - 2 * _GAP)
        pen.text(place, _spelled(footer, font), _FAINT, font)
    return sheet


def _columns(n_panels: int) -> int:
    """Fill rows evenly: five panels are three and two rather than four and one."""
    return -(-n_panels // -(-n_panels // _COLUMNS))


def _zoom(shape: tuple[int, ...]) -> float:
    """Choose a whole magnification, or a reduction for large frames."""
    least, most = _PANEL_PX
    height, width = shape
    if max(shape) > most:
        return most / max(shape)
    return max(1, min(-(-least // width), most // height or 1))


def _tile(
    image: Float[ndarray, "y x"], limits: tuple[float, float], zoom: float
) -> Image.Image:
    """Turn counts into a grey image of the panel's size."""
    low, high = limits
    scaled = (image.astype(np.float64) - low) / ((high - low) or 1.0)
    grey: UInt8[ndarray, "y x"] = np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
    tile = Image.fromarray(grey)
    size = (max(round(tile.width * zoom), 1), max(round(tile.height * zoom), 1))
    how = Image.Resampling.NEAREST if zoom >= 1 else Image.Resampling.BOX
    return tile.resize(size, how).convert("RGB")


def _write_head(
    pen: ImageDraw.ImageDraw, panel: Panel, x: int, y: int, width: int
) -> None:
    title = _fitted(panel.title, _TITLE_PX, width)
    caption = _fitted(panel.caption, _CAPTION_PX, width)
    colour = _MARK if panel.marked else _INK
    pen.text((x, y), _spelled(panel.title, title), colour, title)
    pen.text((x, y + 25), _spelled(panel.caption, caption), _FAINT, caption)


def _draw_bar(
    pen: ImageDraw.ImageDraw,
    bar: ScaleBar,
    zoom: float,
    box: tuple[int, int, int, int],
) -> None:
    """Draw the bar on a dark plate at the lower left of a panel."""
    x, y, width, height = box
    length = max(round(bar.length_px * zoom), 1)
    font = _fitted(bar.label, _CAPTION_PX, width)
    label = _spelled(bar.label, font)
    label_width = round(pen.textlength(label, font))
    plate_width, plate_height = max(length, label_width) + 16, 36
    left, top = x + 6, y + height - plate_height - 6
    pen.rounded_rectangle(
        (left, top, left + plate_width, top + plate_height), 4, fill="#000000"
    )
    middle = left + plate_width // 2
    pen.text((middle - label_width // 2, top + 4), label, "#ffffff", font)
    start = middle - length // 2
    pen.rectangle(
        (start, top + plate_height - 11, start + length - 1, top + plate_height - 8),
        fill="#ffffff",
    )


def _fitted(text: str, size: int, width: int) -> Font:
    """Take the largest font up to a size in which a line fits a width."""
    for smaller in range(size, 7, -1):
        font = font_of(smaller)
        if font.getlength(_spelled(text, font)) <= width:
            break
    return font


def font_of(size: int) -> Font:
    """Find a font that knows µ and Å, else Pillow's own."""
    for name in ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _spelled(text: str, font: Font) -> str:
    """Write signs that Pillow's own font lacks in letters it has."""
    family = font.getname()[0] if isinstance(font, ImageFont.FreeTypeFont) else ""
    if family != "Aileron":
        return text
    plain = text.replace("µ", "u").replace("Å", "A").replace("−", "-")
    return plain.replace("²", "^2").encode("ascii", "replace").decode()
