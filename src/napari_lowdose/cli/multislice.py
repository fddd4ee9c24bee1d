"""``lowdose simulate multislice``: a pair of images of WS2 with defects."""

from __future__ import annotations

import argparse
from typing import Any

from napari_lowdose.cli.flags import config_from
from napari_lowdose.cli.recipe import add_recipe_flags, recipe_from
from napari_lowdose.io import write_stack
from napari_lowdose.noise import add_noise
from napari_lowdose.physics import Multislice, multislice_pair

_STORY = """\
Calculate what two detectors of a scanning microscope see of a WS2 layer with defects,
by multislice (needs abTEM: pip install "napari-lowdose[physics]"), and record it.

  lowdose simulate multislice --dose 0.1 -o first.tif --second second.tif

The dose is the mean electrons per pixel of the first image; the second has its share.
"""


def add_to(kinds: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the kind to the parser."""
    parser = kinds.add_parser(
        "multislice",
        help="A pair of images of a WS2 layer, by multislice with abTEM.",
        description=_STORY,
    )
    add_recipe_flags(parser, Multislice)
    parser.add_argument("-o", "--output", required=True, help="TIFF of the first image")
    parser.add_argument("--second", help="TIFF of the second image")
    parser.add_argument("--truth", help="TIFF of the first image's expected counts")
    parser.add_argument("--second-truth", help="TIFF of the second one's")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Calculate both, add noise to each, write what was asked for."""
    noise = recipe_from(options)
    pair = multislice_pair(config_from(options, Multislice))
    first_mean = float(pair[0].read().mean())
    outputs = (
        (options.output, options.truth),
        (options.second, options.second_truth),
    )
    for number, (clean, paths) in enumerate(zip(pair, outputs, strict=True)):
        share = float(clean.read().mean()) / first_mean
        own = noise.model_copy(
            update={
                "dose": noise.dose * share,
                "seed": (noise.seed + number) % 2**32,
            }
        )
        for stack, path in zip(add_noise(clean, own), paths, strict=True):
            if path:
                write_stack(stack, path)
