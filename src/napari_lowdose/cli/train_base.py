"""``lowdose train-base``: train a base model on simulations."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import BaseTraining
from napari_lowdose.model_history import SUFFIX

if TYPE_CHECKING:
    from napari_lowdose.base_models.fit import BaseRun

_STORY = """\
Train a base model from nothing but simulations, which are drawn meanwhile.

Recipe and seed of the models that come with the package are recorded, so each can be
made again; on another machine its weights differ by rounding.

  lowdose train-base accurate -o accurate.lowdose
  lowdose train-base fast --seed 1 --steps 500 -o mine.lowdose
  lowdose train-base accurate --after accurate.lowdose --steps 20000 -o longer.lowdose

Ctrl-C stops and keeps the model as it is.
"""
_SAVED_EVERY = 250
_SMOOTH = 0.98


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train-base", help="train a base model on simulations", description=_STORY
    )
    parser.add_argument("name", help="base model whose recipe is taken")
    parser.add_argument(
        "-o", "--output", help=f"model file (default: NAME{SUFFIX}, here)"
    )
    parser.add_argument(
        "--after", metavar="FILE", help="base model to go on from, at its last step"
    )
    add_json_flag(parser)
    add_flags(parser, BaseTraining)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train with a progress bar, leave the model file."""
    from napari_lowdose.base_models import BASE_MODELS, load_base, model_path, save_base
    from napari_lowdose.base_models.fit import BaseRun, finished

    if options.name not in BASE_MODELS:
        known = ", ".join(BASE_MODELS)
        raise ValueError(f"expected a base model among {known}, got {options.name!r}")
    recipe = BASE_MODELS[options.name].recipe
    training = config_from(options, BaseTraining, recipe)
    fitted = (
        BaseRun.after(load_base(model_path(options.after)), training)
        if options.after
        else BaseRun.start(training)
    )
    path = Path(options.output or f"{options.name}{SUFFIX}")
    # Before the work, so that a place that cannot be written to is told now.
    begun = {"went on after step": fitted.done} if options.after else {}
    save_base(finished(fitted, fitted.done, begun), path)
    start = perf_counter()
    steps, losses = _train(fitted, path, start)
    notes = {"seconds": perf_counter() - start, **begun, **losses}
    save_base(finished(fitted, steps, notes), path)
    show({"model": str(path), "steps": steps, **notes}, as_json=options.json)


def _train(fitted: BaseRun, path: Path, start: float) -> tuple[int, dict[str, float]]:
    """Train to the end or to Ctrl-C; the file is whole all the time."""
    from napari_lowdose.base_models import save_base
    from napari_lowdose.base_models.fit import finished, fitting_base

    first = done = fitted.done
    fused = xy = 0.0
    total = fitted.training.steps
    with tqdm(total=total, initial=first, unit="step", disable=None) as bar:
        try:
            for step in fitting_base(fitted):
                keep = _SMOOTH if done > first else 0.0
                done = step.done
                fused = keep * fused + (1 - keep) * step.fused_db
                xy = keep * xy + (1 - keep) * step.xy_db
                bar.update()
                bar.set_postfix_str(f"fused {fused:.2f} dB, x-y {xy:.2f} dB")
                if done % _SAVED_EVERY == 0:
                    seconds = perf_counter() - start
                    save_base(finished(fitted, done, {"seconds": seconds}), path)
        except KeyboardInterrupt:
            sys.stderr.write("\nlowdose: stopped; the model is kept as it is\n")
    return done, {"fused error in dB": fused, "x-y error in dB": xy}
