"""Save what an inspection has found: a table, or a film of one particle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_lowdose.io.atomic import replacing
from napari_lowdose.trust.crop_movie import save_crop_movie
from napari_lowdose.widgets.findings import Findings
from napari_lowdose.widgets.layers import Limits

_PLUGIN, _LAST_FOLDER = "napari-lowdose", "last folder of exports"


def ask_for_file(parent: QWidget, title: str, name: str, kinds: str) -> Path | None:
    """Ask where to save, in the folder of the last time."""
    settings = QSettings(_PLUGIN, _PLUGIN)
    proposed = Path(str(settings.value(_LAST_FOLDER, ""))) / name
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(proposed), kinds)
    if not chosen:
        return None
    settings.setValue(_LAST_FOLDER, str(Path(chosen).parent))
    path = Path(chosen)
    # Not every system's dialog adds what was chosen among the kinds.
    return path if path.suffix else path.with_suffix(Path(name).suffix)


def saved_table(particles: pd.DataFrame, path: Path) -> Iterator[Path]:
    """Write all particles, one line each."""
    with replacing(path) as temporary:
        particles.to_csv(temporary, index=False)
    yield path


def saved_movie(
    findings: Findings, number: int, path: Path, limits: Limits
) -> Iterator[Path]:
    """Write what is around a particle, frame after frame."""
    crops, circles, first = findings.crops(number)
    yield save_crop_movie(
        path, crops, limits=limits, circles=circles, first_frame=first
    )
