"""Dock widget: see what a file holds, say what of it is the stack, open it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import napari
from napari.settings import get_settings

from napari_lowdose.config import Reading
from napari_lowdose.io import Description, inspect, read_stack
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.form import Form
from napari_lowdose.widgets.last_folder import STACKS
from napari_lowdose.widgets.layers import Limits, add_stack, contrast_limits
from napari_lowdose.widgets.panel import Panel, button, in_a_row, wrapped_label

_CROP = tuple(f"{axis}_{end}" for axis in "tyx" for end in ("start", "stop"))
_SYMBOLS = {"nanometer": "nm", "micrometer": "µm", "angstrom": "Å", "millimeter": "mm"}
_PLUGIN = "napari-lowdose"


class LoadPanel(Panel):
    """Open one z and one channel of a file, or a series of files, as a stack."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__(napari_viewer)
        self._paths: Sequence[Path] = ()
        self.choose_files = button(
            "Choose file…", "A TIFF movie, or several images that become one"
        )
        self.choose_folder = button("Folder…", "A folder of TIFF images, one a frame")
        self.found = wrapped_label("no file chosen")
        reading = [leaf.name for leaf in Reading.leaves()]
        self.axes = Form(Reading, hide=_CROP)
        self.crop = Form(Reading, hide=[name for name in reading if name not in _CROP])
        self.open = button("Open", "Add the stack as a layer", enabled=False)
        self.prefer = button(
            "Use for all TIFFs", "Let napari open dropped TIFF files with this reader"
        )
        self._lay_out()
        self.choose_files.clicked.connect(self._ask_for_files)
        self.choose_folder.clicked.connect(self._ask_for_folder)
        self.open.clicked.connect(self._open)
        self.prefer.clicked.connect(self._prefer)

    def _lay_out(self) -> None:
        file = self.section("File")
        file.rows.addRow(in_a_row(self.choose_files, self.choose_folder))
        file.rows.addRow(self.found)
        self.section("Axes and calibration").rows.addRow(self.axes)
        self.section("Crop", expanded=False).rows.addRow(self.crop)
        self.add_row(in_a_row(self.open))
        drop = self.section("Drag and drop", expanded=False)
        drop.rows.addRow(self.prefer)

    @property
    def reading(self) -> Reading:
        """What of the file to read, and how it is calibrated."""
        return self.axes.config.replaced(self.crop.values)

    def look_at(self, paths: Sequence[Path]) -> None:
        """Find out what files hold, and show it."""
        self._paths = tuple(paths)
        STACKS.remember(paths[0].parent)
        self.open.setEnabled(False)
        self.found.setText(f"looking at {paths[0].name} …")
        work = Background(partial(_inspected, self._paths), title="Looking", panel=self)
        work.came.connect(self._show_description)
        work.ended.connect(self._looked)
        work.start()

    def _show_description(self, description: Description) -> None:
        first, *others = self._paths
        name = f"{first.name} and {len(others)} more" if others else first.name
        self.found.setText(f"{name}\n{describe(description)}")
        self.open.setEnabled(True)
        self.say("")

    def _looked(self, well: bool) -> None:
        if not well:
            self.found.setText("no file chosen")

    def _ask_for_files(self, _checked: bool = False) -> None:
        paths = STACKS.ask_for_files(self, "Choose a stack", "TIFF (*.tif *.tiff)")
        if paths:
            self.look_at(paths)

    def _ask_for_folder(self, _checked: bool = False) -> None:
        folder = STACKS.ask_for_folder(self, "Choose a folder of frames")
        if folder is not None:
            self.look_at([folder])

    def _open(self, _checked: bool = False) -> None:
        with self.reporting():
            steps = partial(_opened, self._paths, self.reading)
            work = Background(steps, title="Opening", panel=self)
            work.came.connect(self._show)
            work.ended.connect(lambda _well: self.open.setEnabled(True))
            self.open.setEnabled(False)
            self.say("opening …")
            work.start()

    def _show(self, opened: tuple[Stack, Limits]) -> None:
        stack, limits = opened
        layer = add_stack(self._viewer, stack, limits=limits)
        self.say(f"opened {layer.name!r}, {_lengths(stack.shape)}")

    def _prefer(self, _checked: bool = False) -> None:
        plugins = get_settings().plugins
        ours = dict.fromkeys(("*.tif", "*.tiff"), _PLUGIN)
        plugins.extension2reader = {**plugins.extension2reader, **ours}
        self.say("dropped TIFF files now open with this reader, without a question")


def describe(description: Description) -> str:
    """Say in a line or two what a file holds."""
    parts = [
        ", ".join(
            f"{axis} {length}"
            for axis, length in zip(description.axes, description.shape, strict=True)
        ),
        str(description.dtype),
    ]
    if description.pixel_size:
        height, width = description.pixel_size
        edges = f"{height:.4g}" if height == width else f"{height:.4g} × {width:.4g}"
        unit = _SYMBOLS.get(description.pixel_unit, description.pixel_unit)
        parts.append(f"pixel {edges} {unit}")
    if description.frame_interval_s:
        parts.append(f"{description.frame_interval_s:.4g} s per frame")
    if len(description.channel_names) > 1:
        parts.append(f"channels {', '.join(description.channel_names)}")
    return "; ".join(parts)


def _lengths(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def _one_or_all(paths: Sequence[Path]) -> Path | list[Path]:
    return paths[0] if len(paths) == 1 else list(paths)


def _inspected(paths: Sequence[Path]) -> Iterator[Description]:
    yield inspect(_one_or_all(paths))


def _opened(paths: Sequence[Path], reading: Reading) -> Iterator[tuple[Stack, Limits]]:
    stack = read_stack(_one_or_all(paths), reading)
    yield stack, contrast_limits(stack.data)
