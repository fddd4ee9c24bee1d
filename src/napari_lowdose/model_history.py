"""Which models were trained or used lately, and where new ones go by default."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path

from napari_lowdose.io.atomic import replacing
from napari_lowdose.io.folder import made_folder

SUFFIX = ".lowdose"
_LONGEST = 20


def models_folder() -> Path:
    """Find the user's own folder for models, made when needed."""
    return made_folder(user_data_path("napari-lowdose", appauthor=False) / "models")


def new_model_path(name: str) -> Path:
    """Propose a file for a model of a stack of this name; it does not exist yet."""
    word = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
    moment = datetime.now(UTC).astimezone().strftime("%Y%m%d-%H%M%S")
    return models_folder() / f"{word}-{moment}{SUFFIX}"


def recent_models() -> list[Path]:
    """List the models that still exist, newest use first."""
    try:
        entries = json.loads(_list_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [Path(entry) for entry in entries if Path(entry).is_file()]


def remember_model(path: str | os.PathLike[str]) -> None:
    """Put a model at the head of the list."""
    newest = Path(path).resolve()
    others = [model for model in recent_models() if model != newest]
    entries = [str(model) for model in (newest, *others)][:_LONGEST]
    with replacing(_list_file()) as temporary:
        temporary.write_text(json.dumps(entries), encoding="utf-8")


def _list_file() -> Path:
    return models_folder().parent / "recent-models.json"
