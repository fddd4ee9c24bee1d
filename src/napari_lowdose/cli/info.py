"""``lowdose info``: what a file holds, or what this machine has."""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_lowdose.cli.flags import add_json_flag, show
from napari_lowdose.io import inspect
from napari_lowdose.model_history import SUFFIX, models_folder, recent_models

_STORY = """\
Tell what a TIFF or a model file holds; without a file, what this machine has.

  lowdose info movie.tif
  lowdose info model.lowdose
  lowdose info
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "info", help="describe a file, or this machine", description=_STORY
    )
    parser.add_argument("path", nargs="?", help="TIFF or model file")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Describe and print."""
    if options.path is None:
        content = _machine()
    elif Path(options.path).suffix == SUFFIX:
        from napari_lowdose.training import describe_checkpoint

        content = describe_checkpoint(options.path)
    else:
        content = asdict(inspect(options.path))
        content["dtype"] = str(content["dtype"])
    show(content, as_json=options.json)


def _machine() -> dict[str, Any]:
    from napari_lowdose.config import Compute
    from napari_lowdose.networks import arithmetic

    return {
        "napari-lowdose": version("napari-lowdose"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "cores": os.cpu_count(),
        **arithmetic(Compute()).described(),
        "models": str(models_folder()),
        "recent": [str(path) for path in recent_models()],
    }
