"""``lowdose compare``: many methods on one stack, one table, one report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import Comparison, Denoising, Reading
from napari_lowdose.io import read_stack
from napari_lowdose.stack import Stack

if TYPE_CHECKING:
    from napari_lowdose.compare import OpenedModel

_STORY = """\
Put classical methods, models and results made elsewhere side by side on one stack.

Each classical method is tuned on the stack first: by the truth when it is given, else
by counts or pixels held out. A method that fails is told, and the others go on. The
folder gets report.html, to read or to send; and for programs each result as a TIFF,
table.csv, and side-by-side.png.

  lowdose compare noisy.tif --truth truth.tif -o results/
  lowdose compare noisy.tif --models accurate,fast,mine.lowdose -o results/
  lowdose compare noisy.tif --estimates theirs.tif --model none -o results/
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
        help="one more base model or model file; none: no model (default: accurate, "
        "unless --models names others)",
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
    from napari_lowdose.compare import (
        MAIN_SCORES,
        Cache,
        compare,
        methods_of,
        table,
        write_results,
    )
    from napari_lowdose.compare.command import compare_command

    reading = config_from(options, Reading)
    noisy = read_stack(options.noisy, reading)
    truth = read_stack(options.truth, reading) if options.truth else None
    comparison = asked_for(options)
    steps = compare(
        noisy,
        truth=truth,
        comparison=comparison,
        methods=methods_of(comparison, _open_model, reading=reading),
        cache=Cache.of_user() if comparison.cache else None,
    )
    results = []
    with tqdm(unit="result", desc="comparing", disable=None) as bar:
        for result in steps:
            results.append(result)
            bar.set_postfix_str(result.name)
            bar.update()
    told = [f"{result.name}: {result.error}" for result in results if result.error]
    told += [note for result in results for note in result.notes]
    for note in dict.fromkeys(told):
        sys.stderr.write(f"lowdose: note: {note}\n")
    command = compare_command(
        comparison,
        reading,
        noisy=options.noisy,
        truth=options.truth or "",
        output=options.output,
        frame=options.frame,
    )
    frame = options.frame if options.frame >= 0 else noisy.shape[0] // 2
    folder = Path(options.output)
    write_results(results, folder, truth=truth, frame=frame, command=command)
    if options.json:
        rows = table(results).to_dict("records")
        show({"folder": str(folder), "table": rows}, as_json=True)
    else:
        shown = table(
            [result for result in results if not result.error], scores=MAIN_SCORES
        ).to_string(index=False, float_format="{:.4g}".format, na_rep="-")
        sys.stdout.write(f"{shown}\n\n{(folder / 'report.html').resolve()}\n")


def asked_for(options: argparse.Namespace) -> Comparison:
    """Read the comparison off the flags; accurate is there unless others are named."""
    comparison = config_from(options, Comparison)
    model = options.model or ("none" if comparison.models else "accurate")
    if model == "none":
        return comparison
    models = dict.fromkeys((*comparison.models, model))
    return comparison.model_copy(update={"models": tuple(models)})


def _open_model(path: str, noisy: Stack, denoising: Denoising) -> OpenedModel:
    """Load torch only when a model is not answered from the cache."""
    from napari_lowdose.applying import open_model

    return open_model(path, noisy, denoising)
