"""``lowdose fine-tune``: fit a base model to the stack at hand."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import FineTuning, Reading
from napari_lowdose.io import read_stack
from napari_lowdose.model_history import new_model_path, remember_model

if TYPE_CHECKING:
    from napari_lowdose.base_models.fine_tune import FineTune

_STORY = """\
Fit a base model to one microscope: to noisy stacks themselves, or to a reference.

Without a reference, counts are split electron by electron (thinning) and other data
have pixels hidden (noise2void). Some frames are held out; the model that is kept is the
best on them, and the base model itself if nothing beats it.

  lowdose fine-tune noisy.tif -o mine.lowdose
  lowdose fine-tune noisy.tif --truth strong-beam.tif --seconds 300 -o mine.lowdose
  lowdose denoise noisy.tif --model mine.lowdose -o out.tif

Ctrl-C stops and keeps the best so far.
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "fine-tune", help="fit a base model to a stack", description=_STORY
    )
    parser.add_argument("noisy", nargs="+", help="TIFFs of noisy stacks")
    parser.add_argument(
        "--truth", nargs="+", default=[], help="TIFFs of the same at low noise"
    )
    parser.add_argument(
        "--model", default="accurate", help="base model to begin from, or its file"
    )
    parser.add_argument(
        "-o", "--output", help="model file (default: in your own folder of models)"
    )
    add_json_flag(parser)
    add_flags(parser, FineTuning, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, fine-tune with a progress bar, leave the model file."""
    from napari_lowdose.base_models import load_base, model_path, save_base
    from napari_lowdose.base_models.fine_tune import FineTune
    from napari_lowdose.training import paired

    reading = config_from(options, Reading)
    noisy = [read_stack(path, reading) for path in options.noisy]
    truth = [read_stack(path, reading).read() for path in options.truth]
    base = load_base(model_path(options.model))
    path = Path(options.output or new_model_path(noisy[0].name))
    tuning = FineTune.start(
        base,
        paired([stack.read() for stack in noisy], truth),
        config_from(options, FineTuning),
    )
    for note in tuning.notes:
        sys.stderr.write(f"lowdose: note: {note}\n")
    # Before the work, so that a place that cannot be written to is told now.
    save_base(base, path)
    history = _tune(tuning)
    save_base(tuning.best(), path)
    remember_model(path)
    if not tuning.better:
        sys.stderr.write(
            "lowdose: note: nothing beat the base model on held-out frames, so it is "
            "kept as it is\n"
        )
    show(
        {
            "model": str(path),
            "objective": tuning.settings.objective,
            "better": tuning.better,
            "held-out loss": min(entry["loss"] for entry in history),
            "held-out loss of the base": history[0]["loss"],
            **({"history": history} if options.json else {}),
        },
        as_json=options.json,
    )


def _tune(tuning: FineTune) -> list[dict[str, Any]]:
    """Tune to the end or to Ctrl-C."""
    from napari_lowdose.base_models.fine_tune import Tick

    history: list[dict[str, Any]] = []
    with tqdm(unit="s", desc=tuning.settings.objective, disable=None) as bar:
        try:
            for event in tuning.going():
                if isinstance(event, Tick):
                    bar.total = event.total
                    bar.update(round(event.seconds - bar.n, 1))
                    continue
                history.append({"seconds": event.seconds, "loss": event.loss})
                bar.set_postfix_str(f"{event.loss:.5g}, base {event.base_loss:.5g}")
        except KeyboardInterrupt:
            sys.stderr.write("\nlowdose: stopped; the best so far is kept\n")
    return history
