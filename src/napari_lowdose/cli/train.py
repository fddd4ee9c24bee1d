"""``lowdose train``: fit networks to noisy stacks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import PRESETS, Reading, Training
from napari_lowdose.io import read_stack
from napari_lowdose.model_history import new_model_path, remember_model
from napari_lowdose.planes import dropped_sentence

if TYPE_CHECKING:
    from napari_lowdose.training import Epoch, TrainingRun
    from napari_lowdose.training.examples import Split

_STORY = """\
Fit one U-Net per direction to one or several noisy stacks.

With the truth of each stack (a simulation, or the same scene at high dose) the networks
learn to predict it. Without, they learn from the noise itself: counts are split
electron by electron (thinning), other data have pixels hidden (noise2void).

  lowdose train noisy.tif --truth truth.tif --preset quick -o model.lowdose
  lowdose train movie1.tif movie2.tif -o model.lowdose
  lowdose train noisy.tif --resume --epochs 24 -o model.lowdose

Ctrl-C stops and keeps the best weights so far.
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train", help="fit networks to noisy stacks", description=_STORY
    )
    parser.add_argument("noisy", nargs="+", help="TIFFs of noisy stacks")
    parser.add_argument("--truth", nargs="+", default=[], help="TIFFs of their truth")
    parser.add_argument(
        "-o", "--output", help="model file (default: in your own folder of models)"
    )
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        default="quick",
        help="where the settings start from (default: quick)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue the training in the model file"
    )
    add_json_flag(parser)
    add_flags(parser, Training, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, train with a progress bar, leave the model file."""
    from napari_lowdose.training import load_run, paired, prepare, save_run, split

    training = config_from(options, Training, PRESETS[options.preset])
    reading = config_from(options, Reading)
    noisy = [read_stack(path, reading) for path in options.noisy]
    truth = [read_stack(path, reading).read() for path in options.truth]
    examples = paired([stack.read() for stack in noisy], truth)
    path = Path(options.output or new_model_path(noisy[0].name))
    if options.resume:
        fitted = load_run(path, training)
        parts = split(examples, training.validation_fraction)
    else:
        fitted, parts = prepare(examples, training)
    dropped = dropped_sentence(training.planes, fitted.planes)
    if dropped:
        sys.stderr.write(f"lowdose: note: {dropped}\n")
    # Before the work, so that a place that cannot be written to is told now.
    save_run(fitted, path)
    start = perf_counter()
    epochs = _train(fitted, parts, path)
    remember_model(path)
    show(
        {
            "model": str(path),
            "objective": fitted.training.objective,
            "epochs": fitted.epoch,
            "seconds": perf_counter() - start,
            "best validation loss": {
                str(plane): state.best_loss for plane, state in fitted.planes.items()
            },
            **({"history": epochs} if options.json else {}),
        },
        as_json=options.json,
    )


def _train(fitted: TrainingRun, parts: Split, path: Path) -> list[dict[str, Any]]:
    """Train to the end or to Ctrl-C; the file is whole after each epoch."""
    from napari_lowdose.training import Step, fitting, save_run

    epochs: list[dict[str, Any]] = []
    with tqdm(unit="step", desc=fitted.training.objective, disable=None) as bar:
        try:
            for event in fitting(fitted, parts):
                if isinstance(event, Step):
                    bar.total = event.total
                    bar.update(event.done - bar.n)
                else:
                    save_run(fitted, path)
                    epochs.append(_told(event, bar))
        except KeyboardInterrupt:
            if fitted.epoch == 0:
                save_run(fitted, path)
            sys.stderr.write("\nlowdose: stopped; the best weights so far are kept\n")
    return epochs


def _told(epoch: Epoch, bar: tqdm[Any]) -> dict[str, Any]:
    """Show an epoch in the bar, and give it as plain values."""
    train = {str(plane): loss for plane, loss in epoch.train_loss.items()}
    valid = {str(plane): loss for plane, loss in epoch.valid_loss.items()}
    bar.set_postfix_str(" ".join(f"{p} {loss:.4g}" for p, loss in valid.items()))
    return {
        "index": epoch.index,
        "train_loss": train,
        "valid_loss": valid,
        "seconds": epoch.seconds,
    }
