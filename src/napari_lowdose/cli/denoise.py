"""``lowdose denoise``: apply a model to a stack."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from tqdm import tqdm

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.config import Denoising, Reading
from napari_lowdose.errors import CheckpointMismatch
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.model_history import recent_models, remember_model

_STORY = """\
Denoise a stack with a trained model, from one direction or fused from several.

  lowdose denoise noisy.tif --model model.lowdose -o out.tif
  lowdose denoise noisy.tif --planes xy -o frames-only.tif
  lowdose denoise noisy.tif --each-plane -o out.tif     (also out-xy.tif, …)
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "denoise", help="denoise a stack with a trained model", description=_STORY
    )
    parser.add_argument("noisy", help="TIFF of the noisy stack")
    parser.add_argument(
        "--model", help="model file (default: the one trained or used last)"
    )
    parser.add_argument(
        "-o", "--output", help="TIFF to write (default: NAME-denoised.tif, here)"
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "input"),
        default="float32",
        help="numbers in the output; input: as in the noisy file, rounded and clipped",
    )
    parser.add_argument(
        "--each-plane", action="store_true", help="also write each plane's estimate"
    )
    add_json_flag(parser)
    add_flags(parser, Denoising, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, denoise with a progress bar, write."""
    from napari_lowdose.applying import apply_model
    from napari_lowdose.denoiser import Progress, exhausted

    noisy = read_stack(options.noisy, config_from(options, Reading))
    model = model_path(options.model)
    output = Path(options.output or f"{Path(options.noisy).stem}-denoised.tif")
    start = perf_counter()
    steps = apply_model(model, noisy, config_from(options, Denoising))
    with tqdm(unit="slice", desc="denoising", disable=None) as bar:

        def tell(progress: Progress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        applied = exhausted(steps, tell)
    for note in applied.notes:
        sys.stderr.write(f"lowdose: note: {note}\n")
    dtype = noisy.data.dtype if options.dtype == "input" else None
    write_stack(applied.stack, output, dtype=dtype)
    if options.each_plane:
        for plane, stack in applied.planes.items():
            write_stack(stack, _beside(output, plane), dtype=dtype)
    remember_model(model)
    content = {
        "output": str(output),
        "model": str(model),
        "planes": ",".join(applied.planes),
        "seconds": perf_counter() - start,
    }
    show(content, as_json=options.json)


def model_path(given: str | None) -> Path:
    """Take the model that was named, or the last one there is.

    Raises
    ------
    CheckpointMismatch
        If none was named and none is known.
    """
    if given:
        return Path(given)
    for path in recent_models():
        return path
    raise CheckpointMismatch(
        "no model was named and none was trained yet; run lowdose train first, or "
        "give --model"
    )


def _beside(output: Path, plane: str) -> Path:
    """Name a plane's file after the fused one, keeping both of its suffixes."""
    stem, dot, suffix = output.name.partition(".")
    return output.with_name(f"{stem}-{plane}{dot}{suffix}")
