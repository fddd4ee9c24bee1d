"""Flags of a noise recipe: a named detector or a file, and changes to it."""

from __future__ import annotations

import argparse

from napari_lowdose.cli.flags import add_flags, config_from, given
from napari_lowdose.noise import (
    DETECTORS,
    STAGES,
    SUMMARIES,
    Noise,
    read_recipe,
    with_stage_settings,
    with_stages,
    write_recipe,
)
from napari_lowdose.schema import Config

STORY = """\
The noise is a list of stages. Choose a detector, or name the stages; a setting of a
stage adds the stage. What you made can be kept in a file and used again.
"""


def add_recipe_flags(parser: argparse.ArgumentParser, *others: type[Config]) -> None:
    """Add everything that decides about the noise, after the flags of other schemas."""
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--detector",
        choices=tuple(DETECTORS),
        metavar="NAME",
        help="Start from a detector. "
        + " ".join(f"{name}: {line}." for name, line in SUMMARIES.items()),
    )
    start.add_argument("--recipe", metavar="JSON", help="Start from a recipe file.")
    parser.add_argument(
        "--stages",
        metavar="A,B,…",
        help="Stages to use, in this order: " + ", ".join(STAGES) + ".",
    )
    parser.add_argument(
        "--save-recipe", metavar="JSON", help="Keep the recipe in a file."
    )
    add_flags(parser, *others, Noise, *STAGES.values())


def recipe_from(options: argparse.Namespace) -> Noise:
    """Build the recipe from the flags that were given; keep it where asked to.

    Raises
    ------
    ValueError
        If a stage or a value is none, in one sentence.
    """
    noise = Noise()
    if options.recipe:
        noise = read_recipe(options.recipe)
    elif options.detector:
        noise = DETECTORS[options.detector]
    if options.stages is not None:
        names = (name.strip() for name in options.stages.split(","))
        noise = with_stages(noise, [name for name in names if name])
    changes = {
        path[-1]: value
        for stage in STAGES.values()
        for path, value in given(options, stage).items()
    }
    noise = config_from(options, Noise, with_stage_settings(noise, changes))
    if options.save_recipe:
        write_recipe(noise, options.save_recipe)
    return noise
