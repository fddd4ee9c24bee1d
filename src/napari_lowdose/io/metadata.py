"""Pixel size, frame interval and history, from what a TIFF says about itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tifffile import TiffFile
from tifffile.tifffile import imagej_description_metadata

from napari_lowdose.io.history import Note
from napari_lowdose.io.units import in_seconds, positive, unescaped, unit_name


@dataclass(frozen=True)
class Calibration:
    """What is known beside the pixels.

    Parameters
    ----------
    pixel_size
        Edges (y, x) of a pixel in `pixel_unit`; None when unknown.
    pixel_unit
        Full name of a unit of length, or ``"pixel"``.
    frame_interval_s
        Time from one frame to the next, in seconds; None when unknown.
    channel_names
        In the order of the file; empty when unknown.
    note
        What this package noted when it wrote the file; None for other files.
    """

    pixel_size: tuple[float, float] | None = None
    pixel_unit: str = "pixel"
    frame_interval_s: float | None = None
    channel_names: tuple[str, ...] = ()
    note: Note | None = None


def calibration_of(tif: TiffFile) -> Calibration:
    """Read OME-XML or ImageJ's description; resolution tags alone are not believed.

    Without a unit of length in the description, the tags tell a printer's or a screen's
    dots per inch.
    """
    description = tif.pages.first.description
    if description.lstrip().startswith("<") and "<OME" in description:
        return _from_ome(description)
    if description.startswith(("ImageJ=", "SCIFIO=")):
        return _from_imagej(tif, imagej_description_metadata(description))
    return Calibration(note=Note.found_in(description))


def _from_imagej(tif: TiffFile, fields: Mapping[str, Any]) -> Calibration:
    unit = unit_name(str(fields.get("unit", "")))
    edges = tuple(_edge(tif, tag) for tag in ("YResolution", "XResolution"))
    interval = in_seconds_or_none(fields.get("finterval"), str(fields.get("tunit", "")))
    if interval is None and (rate := positive(fields.get("fps"))):
        interval = 1 / rate
    return Calibration(
        *_pixel(edges[0], edges[1], unit, unit),
        frame_interval_s=interval,
        note=Note.found_in(_imagej_info(tif)),
    )


def _edge(tif: TiffFile, name: str) -> float | None:
    """Invert a resolution tag, stored as a fraction of pixels per unit."""
    tag = tif.pages.first.tags.get(name)
    if tag is None or not isinstance(tag.value, tuple) or len(tag.value) != 2:
        return None
    pixels, length = tag.value
    return positive(length / pixels) if pixels else None


def _imagej_info(tif: TiffFile) -> str:
    tag = tif.pages.first.tags.get("IJMetadata")
    found = tag.value.get("Info", "") if tag and isinstance(tag.value, dict) else ""
    return found if isinstance(found, str) else "\n".join(map(str, found))


def _from_ome(description: str) -> Calibration:
    try:
        root = ET.fromstring(description.strip("\x00 \n"))
    except ET.ParseError:
        return Calibration()
    pixels = root.find("{*}Image/{*}Pixels")
    if pixels is None:
        return Calibration()
    edges, units = [], []
    for axis in "YX":
        edges.append(positive(pixels.get(f"PhysicalSize{axis}")))
        units.append(unit_name(pixels.get(f"PhysicalSize{axis}Unit", "µm")))
    channels = pixels.findall("{*}Channel")
    return Calibration(
        *_pixel(edges[0], edges[1], units[0], units[1]),
        frame_interval_s=_ome_interval(pixels),
        channel_names=tuple(c.get("Name") or f"{i}" for i, c in enumerate(channels)),
        note=Note.found_in(root.findtext("{*}Image/{*}Description") or ""),
    )


def _ome_interval(pixels: ET.Element) -> float | None:
    """Take the stated increment, else the mean step of the frames' time stamps."""
    stated = in_seconds_or_none(
        pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s")
    )
    if stated is not None:
        return stated
    stamps: dict[int, float] = {}
    for plane in pixels.findall("{*}Plane"):
        frame, unit = plane.get("TheT", ""), plane.get("DeltaTUnit", "s")
        after = in_seconds_or_none(plane.get("DeltaT"), unit) or 0.0
        if frame.isdecimal() and plane.get("DeltaT") is not None:
            stamps.setdefault(int(frame), after)
    if len(stamps) < 2:
        return None
    first, last = min(stamps), max(stamps)
    return positive((stamps[last] - stamps[first]) / (last - first))


def in_seconds_or_none(value: object, unit: str) -> float | None:
    """Convert a time that may be text or missing."""
    number = positive(value)
    return None if number is None else in_seconds(number, unescaped(unit))


def _pixel(
    y: float | None, x: float | None, y_unit: str | None, x_unit: str | None
) -> tuple[tuple[float, float] | None, str]:
    """Believe a pixel size when both edges come with the same unit of length."""
    if y is None or x is None or x_unit is None or y_unit != x_unit:
        return None, "pixel"
    return (y, x), x_unit
