"""``lowdose denoise``: apply a model to a stack."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from napari_lowdose.cli.flags import add_flags, add_json_flag, config_from, show
from napari_lowdose.cli.progress import watched
from napari_lowdose.config import Denoising, Reading
from napari_lowdose.errors import LowDoseError
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.io.each_file import outputs_for
from napari_lowdose.io.series import SUFFIXES
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
  lowdose denoise movies/ -o out/            (each file of a folder is a movie)
  lowdose denoise frames/ -o out.tif         (each file of a folder is a frame)
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser("denoise", help="denoise a stack", description=_STORY)
    parser.add_argument("noisy", help="TIFF of the noisy stack, or a folder")
    parser.add_argument(
        "--model",
        default="accurate",
        help="base model (accurate or fast), or a model file (default: accurate)",
    )
    parser.add_argument(
        "-o",
        "--output",
        help="TIFF to write (default: NAME-denoised.tif, here); a folder: denoise each "
        "file of the noisy folder into it",
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
    """Denoise one stack, or each of a folder."""
    if Path(options.noisy).is_dir() and _is_folder(options.output or ""):
        _denoise_each(options)
        return
    output = Path(options.output or f"{Path(options.noisy).stem}-denoised.tif")
    show(_denoise(options, options.noisy, output), as_json=options.json)


def _is_folder(output: str) -> bool:
    """Tell whether a folder is meant, which may not be there yet."""
    return bool(output) and Path(output).suffix.lower() not in SUFFIXES


def _denoise_each(options: argparse.Namespace) -> None:
    """Denoise the files of a folder; what fails is told and does not stop the others.

    Raises
    ------
    LowDoseError
        At the end, if some failed.
    """
    pairs = outputs_for(Path(options.noisy), Path(options.output))
    done, failed = [], []
    for path, output in pairs:
        try:
            done.append(_denoise(options, path, output))
        except (LowDoseError, ValueError, MemoryError, RuntimeError) as error:
            text = str(error) or type(error).__name__
            sys.stderr.write(f"lowdose: {path.name}: {text}\n")
            failed.append(path.name)
    if options.json:
        show({"done": done, "failed": failed}, as_json=True)
    else:
        show({one["output"]: one["seconds"] for one in done}, as_json=False)
    if failed:
        raise LowDoseError(
            f"{len(failed)} of {len(pairs)} files were not denoised: "
            f"{', '.join(failed)}"
        )


def _denoise(
    options: argparse.Namespace, path: str | Path, output: Path
) -> dict[str, Any]:
    """Read, denoise with a progress bar, write; tell what was done."""
    from napari_lowdose.applying import apply_model

    noisy = read_stack(path, config_from(options, Reading))
    start = perf_counter()
    steps = apply_model(
        options.model,
        noisy,
        config_from(options, Denoising),
        each_plane=options.each_plane,
    )
    applied = watched(steps, "denoising")
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
    return {
        "output": str(output),
        "model": options.model,
        "planes": ",".join(applied.stack.recipe[-1]["planes"]),
        "fusion": applied.stack.recipe[-1]["fusion"],
        "seconds": perf_counter() - start,
    }


def _beside(output: Path, plane: str) -> Path:
    """Name a plane's file after the fused one, keeping both of its suffixes."""
    stem, dot, suffix = output.name.partition(".")
    return output.with_name(f"{stem}-{plane}{dot}{suffix}")
