"""``lowdose info``: what a file holds, or what this machine has."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from napari_lowdose.cli.flags import add_json_flag, show
from napari_lowdose.errors import LowDoseError
from napari_lowdose.io import inspect, read_stack
from napari_lowdose.model_history import SUFFIX, models_folder, recent_models
from napari_lowdose.noise import describe, measure_noise
from napari_lowdose.objectives import advice_sentences

_FRAMES, _EDGE_PX = 64, 1024  # enough to read the noise from

_STORY = """\
Tell what a TIFF holds, of which noise, and what to train on it with; what a model file
holds; without a file, what this machine has.

  lowdose info movie.tif
  lowdose info model.lowdose
  lowdose info accurate
  lowdose info
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "info", help="describe a file, or this machine", description=_STORY
    )
    parser.add_argument("path", nargs="?", help="TIFF, model file, or base model")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Describe and print."""
    if options.path is None:
        content = _machine()
    elif Path(options.path).suffix == SUFFIX or not Path(options.path).suffix:
        from napari_lowdose.base_models import describe_model

        content = describe_model(options.path)
    else:
        content = asdict(inspect(options.path))
        content["dtype"] = str(content["dtype"])
        content["noise"] = _noise(options.path)
    sentences = content.pop("noise", ())
    if options.json and sentences:
        content["noise"] = sentences
    show(content, as_json=options.json)
    if sentences and not options.json:
        sys.stdout.write("\n" + "\n".join(sentences) + "\n")


def _noise(path: str) -> list[str]:
    """Say what the data are, from as much of them as is quickly read."""
    try:
        stack = read_stack(path)
        top, left = (max(0, (edge - _EDGE_PX) // 2) for edge in stack.shape[1:])
        part = stack.data[:_FRAMES, top : top + _EDGE_PX, left : left + _EDGE_PX]
        measurement = measure_noise(np.asarray(part))
    except LowDoseError as error:
        return [f"The noise cannot be read: {error}."]
    return [*describe(measurement), *advice_sentences(measurement)]


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
