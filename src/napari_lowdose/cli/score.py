"""``lowdose score``: how good an estimate is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from textwrap import fill
from typing import Any

from jaxtyping import Float, Real
from numpy import isfinite, ndarray

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import Reading, Scoring
from napari_lowdose.io import read_stack
from napari_lowdose.metrics import EVERY_SCORE, Scored, scores_of
from napari_lowdose.noise import Source
from napari_lowdose.stack import Stack

_STORY = """\
Score an estimate by all that is known of it.

With the truth, errors are measured. Without it, the noisy stack tells what the estimate
leaves of it, and with the model that made the estimate (--model) it is denoised from a
part of the electrons and judged by the rest (thinned_psnr), which is the one number
without truth to rank methods by. CSS alone proves nothing: blurring in time raises it.

  lowdose score out.tif --truth truth.tif
  lowdose score out.tif --noisy noisy.tif --model accurate --json

What the scores say, and when they lie:
"""

Denoise = Callable[[Real[ndarray, "t y x"]], Float[ndarray, "t y x"]]


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    meanings = "\n".join(
        fill(
            f"{name} ({_reading(name)}): {score.summary}",
            width=86,
            initial_indent="  ",
            subsequent_indent="      ",
        )
        for name, score in EVERY_SCORE.items()
    )
    parser = commands.add_parser(
        "score",
        help="score an estimate, with or without truth",
        description=f"{_STORY}\n{meanings}",
    )
    parser.add_argument("estimate", help="TIFF of the estimate")
    parser.add_argument("--truth", help="TIFF of the truth, in the same counts")
    parser.add_argument("--noisy", help="TIFF of the noisy stack")
    parser.add_argument(
        "--model", default="", help="what made the estimate of the noisy stack"
    )
    parser.add_argument(
        "--box",
        nargs=4,
        type=int,
        metavar=("TOP", "BOTTOM", "LEFT", "RIGHT"),
        help="a flat region, in pixels, to measure what noise is left in it",
    )
    add_json_flag(parser)
    add_flags(parser, Scoring, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read what there is and print the scores with their errors."""
    reading = config_from(options, Reading)
    settings = config_from(options, Scoring)
    estimate = read_stack(options.estimate, reading)
    noisy = read_stack(options.noisy, reading) if options.noisy else None
    truth = read_stack(options.truth, reading).read() if options.truth else None
    scores = scores_of(
        estimate.read(),
        noisy=None if noisy is None else noisy.read(),
        truth=truth,
        denoise=_denoise(options.model, noisy, settings),
        **_detector(noisy, settings),
        pixel_size=estimate.pixel_size[1] if estimate.pixel_size else None,
        lattice_constant=settings.lattice_constant or None,
        seen_frames=None if settings.seen_frames < 0 else settings.seen_frames,
        box=tuple(options.box) if options.box else None,
        seed=settings.seed,
    )
    if options.json:
        show({name: asdict(score) for name, score in scores.items()}, as_json=True)
    else:
        show({name: _shown(name, s) for name, s in scores.items()}, as_json=False)
    if truth is None and not options.model:
        sys.stderr.write(
            "lowdose: note: these scores reward blur in time as well; give --truth, or "
            "--noisy and the --model that made the estimate, or use lowdose compare\n"
        )


def _detector(noisy: Stack | None, settings: Scoring) -> Mapping[str, float]:
    """Take the detector as told, or as the noisy stack tells it."""
    from napari_lowdose.trust.detector import detector_of

    if noisy is None:
        return {}
    measurement, notes = detector_of(noisy.read(), settings.detector)
    for note in notes:
        sys.stderr.write(f"lowdose: note: {note}; counts are taken for electrons\n")
    if measurement is None:
        return {}
    readout = measurement.readout_std
    chance = measurement.counting and readout.source is Source.MEASURED
    return {
        "gain": measurement.gain.value,
        "offset": measurement.offset.value,
        # Beside whole counts a measured one is chance, and would have them blurred.
        "readout_std": 0.0 if chance else readout.value,
    }


def _denoise(model: str, noisy: Stack | None, settings: Scoring) -> Denoise | None:
    """Give what makes an estimate; it is fitted to each stack anew."""
    if not model:
        return None
    if noisy is None:
        raise ValueError(
            "expected --noisy beside --model: the model is to denoise parts of it"
        )
    from napari_lowdose.applying import model_for

    def denoise(counts: Real[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        denoiser, _ = model_for(model, noisy.with_data(counts, ""), settings.denoising)
        return denoiser(counts)

    return denoise


def _reading(name: str) -> str:
    """Say how to read a score."""
    score = EVERY_SCORE[name]
    return ", ".join(part for part in (score.unit, score.direction) if part)


def _shown(name: str, scored: Scored) -> str:
    """Write a score with its error, its unit, and which way is better."""
    error = f" ± {scored.std_error:.2g}" if isfinite(scored.std_error) else ""
    return f"{scored.value:.6g}{error}  ({_reading(name)})"
