"""``lowdose compare``: many methods on one stack, one table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import Comparison, Reading
from napari_lowdose.io import read_stack

_STORY = """\
Put classical methods and a model side by side on one stack.

Each classical method is tuned on the stack first: by the truth when it is given, else
by counts or pixels held out. The folder gets each result as a TIFF, table.csv, and
side-by-side.png.

  lowdose compare noisy.tif --truth truth.tif -o results/
  lowdose compare noisy.tif --model mine.lowdose -o results/
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare", help="put methods side by side on one stack", description=_STORY
    )
    parser.add_argument("noisy", help="TIFF of the noisy stack")
    parser.add_argument("--truth", help="TIFF of the truth")
    parser.add_argument(
        "--model",
        default="accurate",
        help="base model, model file, or none: classical methods only (default: "
        "accurate)",
    )
    parser.add_argument("-o", "--output", required=True, help="folder for the results")
    parser.add_argument(
        "--frame", type=int, default=-1, help="frame in the picture (default: middle)"
    )
    add_json_flag(parser)
    add_flags(parser, Comparison, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, compare with a progress bar, write everything."""
    from napari_lowdose.applying import model_for, model_step
    from napari_lowdose.compare import compare, table, write_results

    reading = config_from(options, Reading)
    noisy = read_stack(options.noisy, reading)
    truth = read_stack(options.truth, reading) if options.truth else None
    comparison = config_from(options, Comparison)
    model = "" if options.model == "none" else options.model
    denoiser, notes = None, tuple[str, ...]()
    if model:
        denoiser, notes = model_for(model, noisy, comparison.denoising)
    for note in notes:
        sys.stderr.write(f"lowdose: note: {note}\n")
    results = []
    steps = compare(
        noisy,
        truth=truth,
        comparison=comparison,
        denoiser=denoiser,
        model=model_step(model) if model else {},
    )
    with tqdm(unit="method", desc="comparing", disable=None) as bar:
        for result in steps:
            results.append(result)
            bar.set_postfix_str(result.name)
            bar.update()
    frame = options.frame if options.frame >= 0 else noisy.shape[0] // 2
    folder = Path(options.output)
    write_results(results, folder, truth=truth, frame=frame)
    found = table(results)
    if options.json:
        show({"folder": str(folder), "table": found.to_dict("records")}, as_json=True)
    else:
        sys.stdout.write(f"{found.to_string(index=False)}\n\n{folder.resolve()}\n")
