"""The command line: ``lowdose``, a thin door to the package."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from napari_lowdose.cli import (
    benchmark,
    compare,
    demo,
    denoise,
    fine_tune,
    info,
    noise,
    null_test,
    phantoms,
    score,
    simulate,
    train,
    train_base,
)
from napari_lowdose.cli.flags import Parser
from napari_lowdose.errors import LowDoseError

COMMANDS = (
    simulate,
    noise,
    denoise,
    fine_tune,
    train,
    train_base,
    compare,
    score,
    phantoms,
    null_test,
    info,
    benchmark,
    demo,
)

_STORY = """\
Denoise low-dose microscopy movies from three directions, and see what it beats.

A first session, without any file of your own:

  lowdose simulate catalyst --dose 1 -o noisy.tif --truth truth.tif
  lowdose denoise noisy.tif -o out.tif
  lowdose fine-tune noisy.tif -o mine.lowdose
  lowdose compare noisy.tif --truth truth.tif --model mine.lowdose -o results/

Each command explains itself: lowdose train --help.
"""


def build_parser() -> Parser:
    """Collect the commands."""
    parser = Parser(prog="lowdose", description=_STORY)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it worked, 2 and one sentence when it could not."""
    options = build_parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _note
        try:
            options.run(options)
        except (LowDoseError, ValueError) as error:
            sys.stderr.write(f"lowdose: {error}\n")
            return 2
        except MemoryError:
            sys.stderr.write("lowdose: the memory is full; crop the stack\n")
            return 2
        except KeyboardInterrupt:
            sys.stderr.write("\nlowdose: stopped\n")
            return 130
    return 0


def _note(message: Warning | str, *_: object, **__: object) -> None:
    sys.stderr.write(f"lowdose: note: {message}\n")
