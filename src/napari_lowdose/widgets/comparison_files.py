"""Save a comparison, report it, or spell it as a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices

from napari_lowdose.compare import (
    Result,
    command_of,
    compare_command,
    write_report,
    write_results,
)
from napari_lowdose.compare.region import comparison_behind
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.compared import NOISY, TRUTH, Compared
from napari_lowdose.widgets.layers import visible_frame
from napari_lowdose.widgets.panel import Panel

_OUTPUT = "results"


def save(compared: Compared, folder: Path, panel: Panel) -> None:
    """Write layers, table, picture and report, in the background.

    Parameters
    ----------
    compared
        What to write.
    folder
        Where to; made if need be.
    panel
        Where it is told how it went.
    """
    results, truth, frame = tuple(compared.results), compared.truth, frame_of(compared)
    command = whole_command(compared, output=str(folder))
    steps = partial(_saved, results, folder, truth, frame, command)
    work = Background(steps, title="Saving", panel=panel)
    work.came.connect(lambda path: panel.say(f"saved in {path}"))
    panel.say("saving …")
    work.start()


def report(compared: Compared, path: Path, panel: Panel) -> None:
    """Write the report as one HTML file, in the background, and open it."""
    results, truth, frame = tuple(compared.results), compared.truth, frame_of(compared)
    steps = partial(_reported, results, path, truth, frame, whole_command(compared))
    work = Background(steps, title="Reporting", panel=panel)
    work.came.connect(lambda written: _open(written, panel))
    panel.say("writing the report …")
    work.start()


def whole_command(compared: Compared, output: str = _OUTPUT) -> str:
    """Spell the whole comparison as a command.

    Models of the user's own, and layers that were compared, are named without folders.
    """
    return compare_command(
        comparison_behind(compared.results),
        noisy=_file(compared, NOISY, compared.noisy),
        truth=_file(compared, TRUTH, compared.truth) if compared.truth else "",
        output=output,
    )


def one_command(compared: Compared, result: Result) -> str:
    """Spell what makes one result again; empty where no command does."""
    if result.stack is None or not result.stack.recipe:
        return ""
    return command_of(
        result.stack.recipe[-1],
        noisy=_file(compared, NOISY, compared.noisy),
        truth=_file(compared, TRUTH, compared.truth) if compared.truth else "",
    )


def source_file(layer: Layer) -> str:
    """Name the TIFF file that a layer was read from; else one of the layer's name."""
    path = str(layer.source.path or "")
    if path.lower().endswith((".tif", ".tiff")):
        return path
    return f"{layer.name}.tif"


def frame_of(compared: Compared) -> int | None:
    """Find the frame in view; None for the middle one, where no layer is left."""
    layers: Sequence[Layer] = [*compared.layers.values()]
    viewer: ViewerModel = compared.viewer
    return visible_frame(viewer, layers[0]) if layers else None


def _file(compared: Compared, name: str, stack: Stack | None) -> str:
    layer = compared.layers.get(name)
    if layer is not None:
        return source_file(layer)
    return f"{stack.name if stack else name}.tif"


def _open(path: Path, panel: Panel) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.resolve())))
    panel.say(f"wrote {path}")


def _saved(
    results: tuple[Result, ...],
    folder: Path,
    truth: Stack | None,
    frame: int | None,
    command: str,
) -> Iterator[Path]:
    yield write_results(results, folder, truth=truth, frame=frame, command=command)


def _reported(
    results: tuple[Result, ...],
    path: Path,
    truth: Stack | None,
    frame: int | None,
    command: str,
) -> Iterator[Path]:
    yield write_report(results, path, truth=truth, frame=frame, command=command)
