"""``lowdose noise``: put noise on a stack, or read it off one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

import pandas as pd

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.cli.recipe import STORY, add_recipe_flags, recipe_from
from napari_lowdose.compare.transfer_plot import draw_transfer
from napari_lowdose.config import Reading
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.io.atomic import replacing
from napari_lowdose.noise import (
    PhotonTransfer,
    add_noise,
    describe,
    measure_noise,
    recipe_like,
    write_recipe,
)
from napari_lowdose.objectives import advice_sentences, advise

_STORY = """\
Put the noise of a microscope on a stack, or read it off one.

  lowdose noise add clean.tif --dose 0.5 -o noisy.tif --truth truth.tif
  lowdose noise add clean.tif --stages gaussian --gaussian-std 2 --dose 0 -o noisy.tif
  lowdose noise measure movie.tif
  lowdose noise measure movie.tif --dark dark.tif --save-recipe camera.json
  lowdose noise add clean.tif --recipe camera.json -o noisy.tif
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "noise", help="add noise to a stack, or measure it", description=_STORY
    )
    verbs = parser.add_subparsers(metavar="add|measure", required=True)
    add = verbs.add_parser(
        "add", help="put noise on a clean stack", description=f"{_STORY}\n{STORY}"
    )
    add.add_argument("clean", help="TIFF of a high-dose or simulated stack")
    add_recipe_flags(add, Reading)
    add.add_argument("-o", "--output", required=True, help="TIFF of the noisy stack")
    add.add_argument("--truth", help="TIFF of the expected counts")
    add.set_defaults(run=run_add)
    measure = verbs.add_parser(
        "measure", help="read dose, gain and noise off a stack", description=_STORY
    )
    measure.add_argument("noisy", help="TIFF of the stack")
    measure.add_argument("--dark", help="TIFF of frames without beam or light")
    measure.add_argument(
        "--flat", nargs="+", default=[], help="TIFFs of evenly lit frames, one a level"
    )
    measure.add_argument(
        "--counts-in-the-dark", type=float, help="The offset, where it is known."
    )
    measure.add_argument("--curve", help="CSV of the photon-transfer curve")
    measure.add_argument("--plot", help="PNG of the photon-transfer curve")
    measure.add_argument(
        "--save-recipe", metavar="JSON", help="Keep the detector as a noise recipe."
    )
    add_flags(measure, Reading)
    add_json_flag(measure)
    measure.set_defaults(run=run_measure)


def run_add(options: argparse.Namespace) -> None:
    """Read the clean stack, add noise, write both."""
    noise = recipe_from(options)
    clean = read_stack(options.clean, config_from(options, Reading))
    noisy, truth = add_noise(clean, noise)
    write_stack(noisy, options.output, dtype=noisy.data.dtype)
    if options.truth:
        write_stack(truth, options.truth)


def run_measure(options: argparse.Namespace) -> None:
    """Measure, say what the data are, and keep what was asked for."""
    noisy = read_stack(options.noisy, config_from(options, Reading))
    measurement = measure_noise(
        noisy.read(),
        dark=read_stack(options.dark).read() if options.dark else None,
        flats=[read_stack(path).read() for path in options.flat],
        offset=options.counts_in_the_dark,
    )
    if options.curve:
        _write_curve(measurement.transfer, options.curve)
    if options.plot:
        with replacing(options.plot) as temporary:
            draw_transfer(measurement.transfer).save(temporary, "PNG")
    if options.save_recipe:
        write_recipe(recipe_like(measurement), options.save_recipe)
    if options.json:
        verdicts = {name: asdict(said) for name, said in advise(measurement).items()}
        show({**asdict(measurement), "advice": verdicts}, as_json=True)
    else:
        lines = (*describe(measurement), *advice_sentences(measurement))
        sys.stdout.write("\n".join(lines) + "\n")


def _write_curve(transfer: PhotonTransfer, path: str) -> None:
    columns = {
        "mean": transfer.mean,
        "variance": transfer.variance,
        "variance_std": transfer.variance_std,
    }
    with replacing(path) as temporary:
        pd.DataFrame(columns).to_csv(temporary, index=False)
