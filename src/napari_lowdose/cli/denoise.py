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
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.model_history import remember_model

_STORY = """\
Denoise a stack with a base model, or one of your own.

The base models, accurate and fast, need no training: the noise is read off the stack.

  lowdose denoise noisy.tif -o out.tif
  lowdose denoise noisy.tif --model fast -o out.tif
  lowdose denoise noisy.tif --model mine.lowdose -o out.tif
  lowdose denoise noisy.tif --planes xy -o frames-only.tif
  lowdose denoise noisy.tif --each-plane -o out.tif     (also out-xy.tif, …, and
                                   out-disagreement.tif: where the directions differ)
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser("denoise", help="denoise a stack", description=_STORY)
    parser.add_argument("noisy", help="TIFF of the noisy stack")
    parser.add_argument(
        "--model",
        default="accurate",
        help="base model (accurate or fast), or a model file (default: accurate)",
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
        "--each-plane",
        action="store_true",
        help="also write each plane's estimate, and where they disagree",
    )
    add_json_flag(parser)
    add_flags(parser, Denoising, Reading)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, denoise with a progress bar, write."""
    from napari_lowdose.applying import apply_model
    from napari_lowdose.denoiser import Progress, exhausted

    noisy = read_stack(options.noisy, config_from(options, Reading))
    output = Path(options.output or f"{Path(options.noisy).stem}-denoised.tif")
    start = perf_counter()
    steps = apply_model(
        options.model,
        noisy,
        config_from(options, Denoising),
        each_plane=options.each_plane,
    )
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
        if applied.disagreement is not None:
            write_stack(applied.disagreement, _beside(output, "disagreement"))
    if Path(options.model).is_file():
        remember_model(options.model)
    content = {
        "output": str(output),
        "model": options.model,
        "planes": ",".join(applied.stack.recipe[-1]["planes"]),
        "fusion": applied.stack.recipe[-1]["fusion"],
        "seconds": perf_counter() - start,
    }
    show(content, as_json=options.json)


def _beside(output: Path, plane: str) -> Path:
    """Name a plane's file after the fused one, keeping both of its suffixes."""
    stem, dot, suffix = output.name.partition(".")
    return output.with_name(f"{stem}-{plane}{dot}{suffix}")
