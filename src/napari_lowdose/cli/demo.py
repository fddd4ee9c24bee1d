"""``lowdose demo``: the main job on a built-in movie."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

_STORY = """\
Simulate movies of a catalyst at one electron per pixel, train on some of them, denoise
another, and compare. Writes everything to a folder; with a display and napari, opens
the results there.

  lowdose demo
  lowdose demo --no-viewer -o somewhere/
"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse's unnamed class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo", help="do the main job on a built-in movie", description=_STORY
    )
    parser.add_argument(
        "-o", "--output", default="lowdose-demo", help="folder (default: lowdose-demo)"
    )
    parser.add_argument(
        "--no-viewer", action="store_true", help="do not open napari at the end"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the demo with a progress bar; say where the results are; open them."""
    from napari_lowdose.compare import table
    from napari_lowdose.demo import Stage, run_demo

    folder = Path(options.output)
    results = []
    said = ""
    with tqdm(total=1.0, bar_format="{desc:<14}|{bar}| {elapsed}", disable=None) as bar:
        for event in run_demo(folder):
            if isinstance(event, Stage):
                text = event.text
                bar.n = event.share
            else:
                text = event.name
                results.append(event)
            bar.set_description_str(text)
            bar.refresh()
            if bar.disable and text != said:  # no terminal to draw a bar on
                sys.stderr.write(f"lowdose: {text} …\n")
            said = text
    sys.stdout.write(f"{table(results).to_string(index=False)}\n\n{folder.resolve()}\n")
    if not options.no_viewer and _can_show():
        show = [sys.executable, "-m", "napari_lowdose.widgets.show_results"]
        subprocess.run([*show, str(folder)], check=False)


def _can_show() -> bool:
    """Tell whether there is a screen, and napari to draw on it."""
    screen = sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return screen and all(importlib.util.find_spec(name) for name in ("napari", "qtpy"))
