"""``lowdose benchmark``: measure this machine, and what we claim."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from napari_lowdose.cli.flags import add_json_flag, show

_STORY = """\
Measure, on this machine and now.

  lowdose benchmark speed    voxels per second per plane and fused, training patches per
                             second, each with the share of the machine's best rate
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "benchmark", help="measure speed on this machine", description=_STORY
    )
    parser.add_argument("name", choices=("speed",), help="what to measure")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure and print a table."""
    from napari_lowdose.benchmarks import BENCHMARKS

    rows = []
    for row in BENCHMARKS[options.name]():
        rows.append(row)
        if not options.json:
            sys.stdout.write(
                f"{row['what']:<16}{row['rate']:>14,.4g} {row['unit']:<10}"
                f"{row['share of peak']:>7.1%} of peak\n"
            )
            sys.stdout.flush()
    if options.json:
        show({"rows": rows}, as_json=True)
