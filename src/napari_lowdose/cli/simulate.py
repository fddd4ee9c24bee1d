"""``lowdose simulate``: noisy movies with their truth."""

from __future__ import annotations

import argparse
from typing import Any

from napari_lowdose.cli.flags import add_flags, config_from
from napari_lowdose.config import Reading
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.stack import Stack

_STORY = """\
Simulate what a low-dose microscope records, with the truth in hand.

  lowdose simulate catalyst --frames 64 --size 128 --dose 1 -o noisy.tif
  lowdose simulate stack clean.tif --dose 0.5 -o noisy.tif --truth truth.tif

The truth holds the expected counts, so that the noisy stack's mean is the truth.
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "simulate", help="make a noisy movie with its truth", description=_STORY
    )
    kinds = parser.add_subparsers(metavar="KIND", required=True, dest="kind")
    for kind, specimen in SPECIMENS.items():
        story = (specimen.settings.__doc__ or "").strip()
        own = kinds.add_parser(kind, help=story, description=story)
        add_flags(own, specimen.settings, Noise)
        _finish(own)
    own = kinds.add_parser("stack", help="Noise on top of a clean stack from a file.")
    own.add_argument("clean", help="TIFF of a high-dose or simulated stack")
    add_flags(own, Reading, Noise)
    _finish(own)


def _finish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", required=True, help="TIFF of the noisy stack")
    parser.add_argument("--truth", help="TIFF of the expected counts")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Render or read the clean stack, add noise, write both."""
    noisy, truth = add_noise(_clean(options), config_from(options, Noise))
    write_stack(noisy, options.output)
    if options.truth:
        write_stack(truth, options.truth)


def _clean(options: argparse.Namespace) -> Stack:
    if options.kind == "stack":
        return read_stack(options.clean, config_from(options, Reading))
    specimen = SPECIMENS[options.kind]
    return specimen.render(config_from(options, specimen.settings)).stack
