"""Which models come with the package, told without loading torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_lowdose.config import BaseTraining, LooksSettings

PathLike = str | os.PathLike[str]

_FOLDER = Path(__file__).parent / "base_models"


@dataclass(frozen=True)
class BaseModel:
    """A model of the package.

    Parameters
    ----------
    name
        Also that of its files.
    summary
        What it is for, in a clause.
    recipe
        How it was trained.
    """

    name: str
    summary: str
    recipe: BaseTraining

    @property
    def path(self) -> Path:
        """Its file in the package."""
        return _FOLDER / f"{self.name}.lowdose"

    @property
    def card(self) -> str:
        """Its card: data, noise range, training command, scores, limits; Markdown."""
        return self.path.with_suffix(".md").read_text(encoding="utf-8")


BASE_MODELS: Mapping[str, BaseModel] = {
    "accurate": BaseModel(
        "accurate",
        "two looks from three directions, for the best result",
        BaseTraining(),
    ),
    "fast": BaseModel(
        "fast",
        "one look with smaller networks, for long stacks and a first glance",
        BaseTraining(
            steps=31_000,
            rounds=14,
            steps_alone=1800,
            steps_untold=3000,
            learning_rate=2e-3,
            network=LooksSettings(shuffle=4, depth=2, width=24, second_planes=()),
        ),
    ),
}
DEFAULT = "accurate"
FASTEST = "fast"


def model_path(name: PathLike) -> Path:
    """Find the file of a base model by its name; other names are files themselves."""
    known = BASE_MODELS.get(os.fspath(name))
    return known.path if known else Path(name)


def shipped_model(path: PathLike) -> BaseModel | None:
    """Find the base model that a file, or a name, is; None if it is the user's own."""
    path = model_path(path)
    return next((model for model in BASE_MODELS.values() if model.path == path), None)
