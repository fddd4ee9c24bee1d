"""Save what an inspection has found: a table, or a film of one particle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
from qtpy.QtWidgets import QWidget

from napari_lowdose.io.atomic import replacing
from napari_lowdose.trust.crop_movie import save_crop_movie
from napari_lowdose.trust.decisions import Decision
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.findings import Findings
from napari_lowdose.widgets.last_folder import EXPORTS
from napari_lowdose.widgets.layers import Limits
from napari_lowdose.widgets.panel import Panel, button, in_a_row

_FILMS = "Animated GIF (*.gif);;MP4 film (*.mp4)"


class Exports(QWidget):
    """Two buttons; files are written in the background.

    Parameters
    ----------
    panel
        Where it is told how it went; its closing ends the work.
    table
        Gives all particles, decisions among them.
    film
        Gives the findings, a particle's number and the counts shown black and white.
    """

    def __init__(
        self,
        panel: Panel,
        *,
        table: Callable[[], pd.DataFrame],
        film: Callable[[], tuple[Findings, int, Limits]],
    ) -> None:
        super().__init__()
        self._panel, self._table, self._film = panel, table, film
        self.csv = button("CSV…", "Save all particles and your decisions as a table")
        self.movie = button("Crop movie…", "Save what is around it as GIF or MP4")
        self.setLayout(in_a_row(self.csv, self.movie))
        self.csv.clicked.connect(self._ask_for_table)
        self.movie.clicked.connect(self._ask_for_movie)

    def save_table(self, path: Path) -> None:
        """Write all particles and decisions."""
        self._save(partial(_saved_table, self._table(), path))

    def save_movie(self, path: Path) -> None:
        """Write what is around the current particle."""
        self._save(partial(_saved_movie, *self._film(), path))

    def _ask_for_table(self, _checked: bool = False) -> None:
        path = EXPORTS.ask_where_to_save(
            self, "Save particles", "particles.csv", "Tables (*.csv)"
        )
        if path is not None:
            self.save_table(path)

    def _ask_for_movie(self, _checked: bool = False) -> None:
        path = EXPORTS.ask_where_to_save(
            self, "Save crop movie", "particle.gif", _FILMS
        )
        if path is not None:
            self.save_movie(path)

    def _save(self, steps: Callable[[], Iterator[Path]]) -> None:
        work = Background(steps, title="Saving", panel=self._panel)
        work.came.connect(lambda path: self._panel.say(f"saved {path}"))
        self._panel.say("saving …")
        work.start()


def with_decisions(particles: pd.DataFrame, decisions: list[Decision]) -> pd.DataFrame:
    """Add what the user thinks of each particle to the table."""
    return particles.assign(decision=[str(decision) for decision in decisions])


def _saved_table(particles: pd.DataFrame, path: Path) -> Iterator[Path]:
    with replacing(path) as temporary:
        particles.to_csv(temporary, index=False)
    yield path


def _saved_movie(
    findings: Findings, number: int, limits: Limits, path: Path
) -> Iterator[Path]:
    crops, circles, first = findings.crops(number)
    yield save_crop_movie(
        path, crops, limits=limits, circles=circles, first_frame=first
    )
