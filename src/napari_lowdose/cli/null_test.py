"""``lowdose null-test``: how many particles a denoiser invents in pure noise."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.cli.progress import watched
from napari_lowdose.config import Inspecting, Reading
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.io.folder import made_folder

_STORY = """\
Ask a denoiser what it makes of noise alone.

Noise of the stack's own kind is put on its background, without the particles, and the
denoiser gets to see that. Every particle in what it makes of it is invented.

  lowdose null-test noisy.tif
  lowdose null-test noisy.tif --model mine.lowdose --null-movies 5 --movies null/
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "null-test", help="count the particles invented in noise", description=_STORY
    )
    parser.add_argument("noisy", help="TIFF of the raw counts")
    parser.add_argument(
        "--model",
        default="accurate",
        help="base model or model file to be tested (default: accurate)",
    )
    parser.add_argument("--movies", help="folder for the last null movie, as TIFFs")
    add_json_flag(parser)
    add_flags(parser, Inspecting, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Test with a progress bar and report."""
    from napari_lowdose.trust import asking_noise

    noisy = read_stack(options.noisy, config_from(options, Reading))
    settings = config_from(options, Inspecting)
    folder = made_folder(options.movies) if options.movies else None
    steps = asking_noise(noisy, settings, model=options.model)
    tested = watched(steps, "denoising noise")
    for note in tested.notes:
        sys.stderr.write(f"lowdose: note: {note}\n")
    if folder:
        for name, stack in tested.movies.items():
            write_stack(stack, folder / f"{name}.tif")
    if options.json:
        show(tested.report.content, as_json=True)
    else:
        sys.stdout.write("\n".join(tested.report.in_words) + "\n")
