"""``lowdose simulate``: noisy movies with their truth, and whole data sets of them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import pandas as pd
from tqdm import tqdm

from napari_lowdose.cli import multislice
from napari_lowdose.cli.flags import add_flags, config_from
from napari_lowdose.cli.recipe import add_recipe_flags, recipe_from
from napari_lowdose.datasets import DATASETS, Writing, estimate, plan, start, write
from napari_lowdose.io import write_stack
from napari_lowdose.io.atomic import replacing
from napari_lowdose.noise import add_noise
from napari_lowdose.specimens import SPECIMENS

_STORY = """\
Simulate what a low-dose microscope records, with the truth in hand.

  lowdose simulate catalyst --frames 64 --size 128 --dose 1 -o noisy.tif
  lowdose simulate lattice --detector emccd -o noisy.tif --truth truth.tif
  lowdose simulate catalyst -o noisy.tif --particles particles.csv --events events.csv

The truth holds the expected counts, so that the noisy stack's mean is the truth.
To put noise on a file of your own: lowdose noise add.

The training sets of the papers, at full or reduced size, into a Zarr folder; a second
call goes on where the first was stopped:

  lowdose simulate --dataset catalyst -o catalyst.zarr
  lowdose simulate --dataset pn-junction --n-items 4 --size 64 -o small.zarr
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "simulate", help="make a noisy movie with its truth", description=_STORY
    )
    parser.set_defaults(run=run_dataset)
    whole = parser.add_argument_group("Data sets")
    whole.add_argument(
        "--dataset",
        choices=tuple(DATASETS),
        metavar="NAME",
        help=" ".join(f"{name}: {kind.summary}." for name, kind in DATASETS.items()),
    )
    whole.add_argument("-o", "--output", help="Zarr folder of the data set")
    add_flags(parser, Writing)
    kinds = parser.add_subparsers(metavar="KIND", dest="kind")
    for kind, specimen in SPECIMENS.items():
        story = (specimen.settings.__doc__ or "").strip()
        own = kinds.add_parser(kind, help=story.splitlines()[0], description=story)
        add_recipe_flags(own, specimen.settings)
        own.add_argument(
            "-o", "--output", required=True, help="TIFF of the noisy stack"
        )
        own.add_argument("--truth", help="TIFF of the expected counts")
        own.add_argument("--particles", help="CSV of where the particles are")
        own.add_argument("--events", help="CSV of what happens to them")
        own.set_defaults(run=run)
    multislice.add_to(kinds)


def run(options: argparse.Namespace) -> None:
    """Render the specimen, add noise, write both and the tables."""
    specimen = SPECIMENS[options.kind]
    noise = recipe_from(options)
    scene = specimen.render(config_from(options, specimen.settings))
    noisy, truth = add_noise(scene.stack, noise)
    write_stack(noisy, options.output, dtype=noisy.data.dtype)
    if options.truth:
        write_stack(truth, options.truth)
    for table, path in (
        (scene.particles, options.particles),
        (scene.events, options.events),
    ):
        if path:
            _write_table(table, path)


def _write_table(table: pd.DataFrame, path: str) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def run_dataset(options: argparse.Namespace) -> None:
    """Tell what the set will take, then write it with a progress bar."""
    if not options.dataset or not options.output:
        raise ValueError(
            "expected a kind of specimen, or --dataset NAME and -o FOLDER; "
            "see lowdose simulate --help"
        )
    writing = config_from(options, Writing)
    workers = writing.workers or os.cpu_count() or 1
    planned = plan(options.dataset, DATASETS[options.dataset], writing)
    n_left = planned.n_items - start(planned, options.output)
    if not n_left:
        sys.stderr.write(f"lowdose: {options.output} is finished already\n")
        return
    item = estimate(planned)
    sys.stderr.write(
        f"lowdose: {options.dataset}: {planned.n_items:,} items of {planned.frames} x "
        f"{planned.size} x {planned.size}, {planned.n_bytes / 1e9:.3g} GB of arrays; "
        f"{n_left:,} are left, about {n_left * item.n_bytes / 1e9:.3g} GB on the disk "
        f"and {_spoken(n_left * item.seconds / workers)} on {workers} cores\n"
    )
    with tqdm(
        total=planned.n_items, unit="item", desc=options.dataset, disable=None
    ) as bar:
        try:
            for done in write(planned, options.output, item=item, workers=workers):
                bar.update(done - bar.n)
        except KeyboardInterrupt:
            sys.stderr.write("\nlowdose: stopped; the same command goes on from here\n")
            raise


def _spoken(seconds: float) -> str:
    """Say a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
