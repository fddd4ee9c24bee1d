"""``lowdose phantoms``: which particles of an estimate to trust."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import pandas as pd

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.cli.progress import watched
from napari_lowdose.config import Inspecting, Reading
from napari_lowdose.errors import UnreadableFile
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.io.atomic import replacing
from napari_lowdose.io.folder import made_folder

_STORY = """\
Find the particles of an estimate and ask the raw counts about each.

Every particle gets its chance of being a phantom: a clump of noise that the denoiser
has made into a particle. It comes from the frames before and after, from whether all
directions show it, and from the raw counts that the estimate has not seen. A particle
that is there for a single frame cannot be confirmed so, and is called unsupported in
time instead.

  lowdose phantoms --noisy noisy.tif -o phantoms.csv          (runs the base model)
  lowdose phantoms out.tif --noisy noisy.tif -o phantoms.csv  (any estimate)
  lowdose phantoms out.tif --noisy noisy.tif --particles truth.csv -o phantoms.csv
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "phantoms", help="tell particles from phantoms", description=_STORY
    )
    parser.add_argument(
        "estimate", nargs="?", help="TIFF of the estimate (default: the model makes it)"
    )
    parser.add_argument("--noisy", required=True, help="TIFF of the raw counts")
    parser.add_argument(
        "--model",
        default="accurate",
        help="base model or model file that makes the estimate (default: accurate)",
    )
    parser.add_argument(
        "--particles", help="CSV of the true particles, as lowdose simulate writes it"
    )
    parser.add_argument("-o", "--output", help="CSV to write, one row per particle")
    parser.add_argument("--maps", help="folder for the maps, as TIFFs")
    add_json_flag(parser)
    add_flags(parser, Inspecting, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Inspect with a progress bar, write the table, sum it up."""
    from napari_lowdose.trust import inspecting, summary_of

    reading = config_from(options, Reading)
    noisy = read_stack(options.noisy, reading)
    estimate = read_stack(options.estimate, reading) if options.estimate else None
    truth = _true_particles(options.particles) if options.particles else None
    folder = made_folder(options.maps) if options.maps else None
    steps = inspecting(
        noisy, config_from(options, Inspecting), model=options.model, estimate=estimate
    )
    inspection = watched(steps, "inspecting")
    for note in inspection.notes:
        sys.stderr.write(f"lowdose: note: {note}\n")
    if options.output:
        with replacing(options.output) as temporary:
            inspection.particles.to_csv(temporary, index=False)
    if folder:
        for name, stack in inspection.maps.items():
            write_stack(stack, folder / f"{name}.tif")
    show(summary_of(inspection, truth), as_json=options.json)


def _true_particles(path: str) -> pd.DataFrame:
    """Read a table as `lowdose simulate --particles` writes it."""
    advice = "give the CSV that lowdose simulate --particles writes"
    try:
        table = pd.read_csv(path)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read; {advice}") from error
    except ValueError as error:  # of pandas and of unicode
        raise UnreadableFile(f"{path} is not a table; {advice}") from error
    needed = ("frame", "id", "y", "x", "radius", "visible")
    absent = [name for name in needed if name not in table]
    if absent:
        raise UnreadableFile(
            f"expected true particles in {path}, but it has no column "
            f"{' or '.join(absent)}; {advice}"
        )
    return table
