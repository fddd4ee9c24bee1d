"""``lowdose score``: how good an estimate is."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import Reading
from napari_lowdose.io import read_stack
from napari_lowdose.metrics import METRICS, score

_STORY = """\
Score an estimate: against the truth when it is given, else by how alike consecutive
frames are (CSS). CSS alone proves nothing: blurring in time raises it.

  lowdose score out.tif --truth truth.tif --json
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    meanings = "\n".join(
        f"  {name:<10} {metric.summary}" for name, metric in METRICS.items()
    )
    parser = commands.add_parser(
        "score",
        help="score an estimate, with or without truth",
        description=f"{_STORY}\n{meanings}",
    )
    parser.add_argument("estimate", help="TIFF of the estimate")
    parser.add_argument("--truth", help="TIFF of the truth, in the same counts")
    add_json_flag(parser)
    add_flags(parser, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read both and print the scores."""
    reading = config_from(options, Reading)
    estimate = read_stack(options.estimate, reading).read()
    truth = read_stack(options.truth, reading).read() if options.truth else None
    show(score(estimate, truth), as_json=options.json)
    if truth is None:
        sys.stderr.write(
            "lowdose: note: without truth these scores reward blur in time as well; "
            "give --truth, or use lowdose compare\n"
        )
