"""Noise recipes as JSON files."""

from __future__ import annotations

import json
from pathlib import Path

from napari_lowdose.errors import UnreadableFile
from napari_lowdose.io.atomic import PathLike, replacing
from napari_lowdose.noise.recipe import Noise, read_stage, refuse_unknown
from napari_lowdose.schema import checked

_LARGEST_BYTES = 1_000_000  # a recipe has a few hundred


def write_recipe(noise: Noise, path: PathLike) -> Path:
    """Write a recipe as JSON, whole or not at all.

    Raises
    ------
    UnwritableFile
        If the place cannot be written to.
    """
    with replacing(path) as temporary:
        temporary.write_text(noise.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return Path(path)


def read_recipe(path: PathLike) -> Noise:
    """Read a recipe; what is missing in it has its usual value.

    Raises
    ------
    UnreadableFile
        If the file is missing or holds no recipe, in one sentence that names what is
        wrong with it.
    """
    try:
        content = json.loads(_text(Path(path)))
    except (ValueError, RecursionError):
        raise UnreadableFile(f"{path} is not JSON; expected a noise recipe") from None
    try:
        if not isinstance(content, dict):
            raise ValueError('expected {"dose": ..., "stages": [...], "seed": ...}')
        for name in content:
            refuse_unknown("entry", name, Noise.model_fields)
        stages = content.get("stages", Noise().stages)
        if not isinstance(stages, (list, tuple)):
            raise ValueError(f"expected a list of stages, got {stages!r}")
        content["stages"] = [read_stage(stage) for stage in stages]
        return checked(Noise, content)
    except ValueError as error:
        raise UnreadableFile(f"{path} is no noise recipe: {error}") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UnreadableFile(
                f"{path} is too large for a noise recipe; choose another"
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableFile(
            f"cannot read {path}: {error.strerror or error}"
        ) from error
