"""``lowdose benchmark``: measure this machine, and what we claim."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from napari_lowdose.benchmarks import BENCHMARKS
from napari_lowdose.benchmarks.page import refuse_unknown, write_rows
from napari_lowdose.cli.flags import add_json_flag, show

_INDENT = 31


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "benchmark", help="measure speed on this machine", description=_story()
    )
    parser.add_argument("name", choices=[*BENCHMARKS], help="what to measure")
    parser.add_argument(
        "-o", "--output", help="also keep the rows, as a page (.html) or table (.csv)"
    )
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure and print a table."""
    benchmark, rows = BENCHMARKS[options.name], []
    if options.output:
        refuse_unknown(Path(options.output))
    for row in benchmark():
        rows.append(row)
        if not options.json:
            sys.stdout.write(_line(row))
            sys.stdout.flush()
    if options.output:
        path = Path(options.output)
        write_rows(rows, path, name=options.name, story=benchmark.story)
    if options.json:
        show({"rows": rows}, as_json=True)


def _story() -> str:
    """Tell what each benchmark measures, in two columns."""
    lines = [
        fill(
            f"  lowdose benchmark {name}".ljust(_INDENT) + benchmark.story,
            width=88,
            subsequent_indent=" " * _INDENT,
        )
        for name, benchmark in BENCHMARKS.items()
    ]
    return "\n".join(["Measure, on this machine and now.", "", *lines, ""])


def _line(row: Mapping[str, Any]) -> str:
    """Write a rate, the shares of a row that has some, and whatever else it has."""
    shares = [
        f"{value:>7.1%} {name.removeprefix('share ')}"
        for name, value in row.items()
        if name.startswith("share ")
    ]
    more = [
        f"  {name} {value:.3g}" if isinstance(value, float) else f"  {name} {value}"
        for name, value in row.items()
        if name not in ("what", "rate", "unit") and not name.startswith("share ")
    ]
    line = f"{row['what']:<24}{row['rate']:>14,.4g} {row['unit']:<10}"
    return (line + "".join(shares) + ",".join(more)).rstrip() + "\n"
