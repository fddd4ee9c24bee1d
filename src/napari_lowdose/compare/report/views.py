"""Which parts of a stack are shown, and how they become pictures of a page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from io import BytesIO

import numpy as np
from jaxtyping import Real
from numpy import ndarray
from PIL import Image
from scipy import ndimage

from napari_lowdose.compare.montage import ScaleBar
from napari_lowdose.io.units import unit_symbol
from napari_lowdose.stack import Stack

_MOST_PX = 512  # edge of a picture; larger ones are averaged down
_ZOOM = 4  # a zoom shows so much less than the frame
_LEAST_ZOOM_PX = 24

Limits = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """Where in a movie one looks.

    Parameters
    ----------
    frame
        Which frame.
    row, column
        Of the slices through time; the centre of the window.
    rows, columns
        First and end of the window to magnify.
    """

    frame: int
    row: int
    column: int
    rows: tuple[int, int]
    columns: tuple[int, int]

    @classmethod
    def busiest(cls, stack: Real[ndarray, "t y x"], frame: int) -> Place:
        """Find where in a frame there is most to see: where values vary most."""
        image = stack[frame].astype(np.float64)
        edges = [min(n, max(n // _ZOOM, _LEAST_ZOOM_PX)) for n in image.shape]
        around = ndimage.uniform_filter(image, edges)
        variance = ndimage.uniform_filter(image**2, edges) - around**2
        # A window of n pixels has n // 2 of them before its centre.
        centres = [
            slice(edge // 2, n - edge + edge // 2 + 1)
            for n, edge in zip(image.shape, edges, strict=True)
        ]
        inside = variance[tuple(centres)]
        at = np.unravel_index(int(inside.argmax()), inside.shape)
        (row, column), (height, width) = ((int(n) for n in at), edges)
        return cls(
            frame,
            row + height // 2,
            column + width // 2,
            (row, row + height),
            (column, column + width),
        )

    def window(self, image: Real[ndarray, "y x"]) -> Real[ndarray, "h w"]:
        """Cut the window out of a frame."""
        return image[slice(*self.rows), slice(*self.columns)]


@dataclass(frozen=True)
class Rulers:
    """How long a pixel and a frame are.

    Parameters
    ----------
    y, x
        Edges of a pixel.
    unit
        Symbol of their unit.
    t
        From one frame to the next.
    t_unit
        Its unit.
    """

    y: float
    x: float
    unit: str
    t: float
    t_unit: str

    @classmethod
    def of(cls, stack: Stack) -> Rulers:
        """Take what is known; else pixels and frames."""
        y, x = stack.pixel_size or (1.0, 1.0)
        unit = unit_symbol(stack.pixel_unit) if stack.pixel_size else "px"
        known = stack.frame_interval_s
        return cls(y, x, unit, known or 1.0, "s" if known else "frames")

    def across(self, width_px: int, pixel: float) -> str:
        """Draw a bar of a round length below a picture of so many pixels."""
        bar = ScaleBar.fitting(width_px, pixel, self.unit)
        share = 100 * bar.length_px / width_px
        label = escape(bar.label)
        return f'<div class="bar" style="width:{share:.2f}%"><span>{label}</span></div>'

    def down(self, n_frames: int) -> str:
        """Draw a bar of a round time beside a picture of so many frames."""
        bar = ScaleBar.fitting(n_frames, self.t, self.t_unit)
        share = 100 * bar.length_px / n_frames
        label = escape(bar.label)
        return (
            f'<div class="bar down" style="height:{share:.2f}%">'
            f"<span>{label}</span></div>"
        )


@dataclass(frozen=True)
class View:
    """What is shown of each result, the same for all.

    Parameters
    ----------
    place
        Where to look.
    rulers
        For the scale bars.
    limits
        Counts shown black and white.
    spread
        Of the difference to the noisy frame, shown black and white around zero.
    """

    place: Place
    rulers: Rulers
    limits: Limits
    spread: float

    def figures(
        self,
        name: str,
        stack: Real[ndarray, "t y x"],
        noisy: Real[ndarray, "t y x"] | None,
    ) -> Iterator[str]:
        """Draw a frame, its window, slices through time, and what was taken away.

        Parameters
        ----------
        name
            Of the method, for those who cannot see the pictures.
        stack
            The estimate.
        noisy
            What it was made of; None where there is nothing to take away.
        """
        place, ruler, limits = self.place, self.rulers, self.limits
        frame = np.asarray(stack[place.frame], np.float32)
        height, width = frame.shape
        aspect = height * ruler.y / (width * ruler.x)
        bar = ruler.across(width, ruler.x)
        marked = bar + _marks(place, frame.shape)
        yield _figure(frame, limits, f"{name}: frame", "frame", aspect, marked)
        window = place.window(frame)
        across = ruler.across(window.shape[1], ruler.x)
        yield _figure(window, limits, f"{name}: window", "window", aspect, across)
        # As high as the frames, however many there are: time has no length.
        for plane, image, pixel in (
            ("x–t", np.asarray(stack[:, place.row, :]), ruler.x),
            ("y–t", np.asarray(stack[:, :, place.column]), ruler.y),
        ):
            n_frames, length = image.shape
            bars = ruler.across(length, pixel) + ruler.down(n_frames)
            caption = f"{plane}, time runs down"
            yield _figure(image, limits, f"{name}: {plane}", caption, aspect, bars)
        if noisy is not None:
            left = np.asarray(noisy[place.frame], np.float32) - frame
            both = (-self.spread, self.spread)
            caption = "noisy − frame"
            yield _figure(left, both, f"{name}: {caption}", caption, aspect, bar)


def _marks(place: Place, shape: tuple[int, ...]) -> str:
    """Show in a frame where the window and the slices through time are."""
    height, width = (n / 100 for n in shape)
    (top, end), (left, right) = place.rows, place.columns
    return (
        f'<div class="box" style="top:{top / height:.2f}%;left:{left / width:.2f}%;'
        f"height:{(end - top) / height:.2f}%;"
        f'width:{(right - left) / width:.2f}%"></div>'
        f'<div class="row" style="top:{(place.row + 0.5) / height:.2f}%"></div>'
        f'<div class="column" style="left:{(place.column + 0.5) / width:.2f}%"></div>'
    )


def _figure(
    image: Real[ndarray, "h w"],
    limits: Limits,
    text: str,
    caption: str,
    aspect: float,
    over: str,
) -> str:
    """Put a picture on the page, with what lies over it."""
    return (
        f'<figure><div class="frame" style="aspect-ratio:{1 / aspect:.4f}">'
        f'<img alt="{escape(text)}" src="{png_of(image, limits)}">{over}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def png_of(image: Real[ndarray, "h w"], limits: Limits) -> str:
    """Encode an image as text: grey, one pixel each, averaged down where large."""
    low, high = limits
    scaled = (image.astype(np.float64) - low) / ((high - low) or 1.0)
    picture = Image.fromarray(np.rint(scaled.clip(0, 1) * 255).astype(np.uint8))
    edge = max(picture.size)
    if edge > _MOST_PX:
        smaller = [max(n * _MOST_PX // edge, 1) for n in picture.size]
        picture = picture.resize((smaller[0], smaller[1]), Image.Resampling.BOX)
    content = BytesIO()
    picture.save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(content.getvalue()).decode()}"


def spread_of(
    noisy: Real[ndarray, "t y x"], reference: Real[ndarray, "t y x"], frame: int
) -> float:
    """Find three deviations of what noise does to a frame, in counts."""
    difference = noisy[frame].astype(np.float64) - reference[frame]
    return 3 * float(difference.std()) or 1.0
