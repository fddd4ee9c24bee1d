"""A small movie of what is around one particle, to show to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Real, UInt8
from numpy import ndarray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io.atomic import PathLike, replacing

SUFFIXES = (".gif", ".mp4")
FRAMES_PER_S = 8.0
_TILE_PX = 192  # least edge of a picture: small crops are magnified by a whole number
_GAP_PX, _HEAD_PX, _FOOT_PX, _LETTERS_PX = 6, 22, 20, 13
_PAPER, _INK = "#16181d", "#e8e8e8"
_COLOURS = 256  # of a GIF


@dataclass(frozen=True)
class Circle:
    """A ring around a particle in one frame.

    Parameters
    ----------
    y, x, radius
        In pixels of the crop.
    colour
        As ``"#rrggbb"``.
    """

    y: float
    x: float
    radius: float
    colour: str


def save_crop_movie(
    path: PathLike,
    crops: Mapping[str, Real[ndarray, "t y x"]],
    *,
    limits: tuple[float, float],
    circles: Sequence[Circle | None] = (),
    first_frame: int = 0,
) -> Path:
    """Write crops of one place side by side, frame after frame, in one contrast.

    Parameters
    ----------
    path
        The file; its suffix says whether it becomes a GIF or an MP4.
    crops
        Counts of one shape (t, y, x) by what is written above them.
    limits
        Counts shown black and white.
    circles
        The ring of each frame; none at all: no rings.
    first_frame
        The number of the first frame, which is written below.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the suffix is another one, or the crops differ in shape or are none.
    UnwritableFile
        If the file cannot be written; an older one at this place stays as it was.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"expected a file that ends in .gif or .mp4, got {path.name!r}; "
            "add one of these"
        )
    shapes = {crop.shape for crop in crops.values()}
    if len(shapes) != 1:
        raise ValueError(
            f"expected crops of one shape, got {sorted(shapes) or 'none at all'}; "
            "cut the same frames and pixels out of each stack"
        )
    pictures = _pictures(crops, limits, circles, first_frame)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".gif":
            colours = {circle.colour for circle in circles if circle is not None}
            _write_gif(temporary, list(pictures), colours)
        else:
            _write_mp4(temporary, pictures)
    return path


def _pictures(
    crops: Mapping[str, ndarray],
    limits: tuple[float, float],
    circles: Sequence[Circle | None],
    first_frame: int,
) -> Iterator[Image.Image]:
    """Draw frame after frame."""
    n_frames, height, width = next(iter(crops.values())).shape
    zoom = max(1, -(-_TILE_PX // max(height, width)))
    step = width * zoom + _GAP_PX
    # Films want an even number of pixels along each edge.
    size = (
        _even(_GAP_PX + len(crops) * step),
        _even(_HEAD_PX + height * zoom + _FOOT_PX),
    )
    font = ImageFont.load_default(_LETTERS_PX)
    for t in range(n_frames):
        sheet = Image.new("RGB", size, _PAPER)
        pen = ImageDraw.Draw(sheet)
        for number, (name, crop) in enumerate(crops.items()):
            left = _GAP_PX + number * step
            sheet.paste(_tile(crop[t], limits, zoom), (left, _HEAD_PX))
            pen.text((left, 3), name, _INK, font)
            if t < len(circles) and circles[t] is not None:
                _draw_circle(pen, circles[t], zoom, left)
        below = (_GAP_PX, size[1] - _FOOT_PX + 2)
        pen.text(below, f"frame {first_frame + t}", _INK, font)
        yield sheet


def _tile(
    frame: Real[ndarray, "y x"], limits: tuple[float, float], zoom: int
) -> Image.Image:
    """Turn counts into grey, each pixel a square."""
    low, high = limits
    share = (frame.astype(np.float64) - low) / ((high - low) or 1.0)
    grey: UInt8[ndarray, "y x"] = np.rint(share.clip(0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.repeat(np.repeat(grey, zoom, axis=0), zoom, axis=1))


def _draw_circle(
    pen: ImageDraw.ImageDraw, circle: Circle | None, zoom: int, left: int
) -> None:
    assert circle is not None
    x = left + (circle.x + 0.5) * zoom
    y = _HEAD_PX + (circle.y + 0.5) * zoom
    radius = circle.radius * zoom
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, outline=circle.colour, width=2)


def _write_gif(path: Path, pictures: list[Image.Image], colours: set[str]) -> None:
    # One palette for all: with their own, frames of pure noise would flicker.
    palette = _palette(colours)
    frames = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 / FRAMES_PER_S),
        loop=0,
    )


def _palette(colours: set[str]) -> Image.Image:
    """Make a palette of many greys and a few colours."""
    few = [ImageColor.getrgb(colour)[:3] for colour in sorted({*colours, _PAPER})]
    greys = np.rint(np.linspace(0, 255, _COLOURS - len(few))).astype(int)
    entries = [*((grey, grey, grey) for grey in greys.tolist()), *few]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for entry in entries for value in entry])
    return palette


def _write_mp4(path: Path, pictures: Iterator[Image.Image]) -> None:
    first = next(pictures)
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    film = cv2.VideoWriter(str(path), codec, FRAMES_PER_S, first.size)
    if not film.isOpened():
        raise UnwritableFile(
            f"OpenCV cannot write {path.suffix} files here; choose a .gif instead"
        )
    try:
        film.write(_bgr(first))
        for picture in pictures:
            film.write(_bgr(picture))
    finally:
        film.release()


def _bgr(picture: Image.Image) -> UInt8[ndarray, "h w 3"]:
    """Order colours as OpenCV has them."""
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])


def _even(n_px: int) -> int:
    return n_px + n_px % 2
