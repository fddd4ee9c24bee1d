"""Measure how soon the frame in view is denoised; run as a module, it needs a screen.

``python -m napari_lowdose.widgets.first_frame`` opens the real panel on a movie of
100 x 256 x 256 counts and clicks *Denoise*, with an engine that was started ahead.
"""

from __future__ import annotations

import argparse
import sys
import time

import napari
import numpy as np

from napari_lowdose.shipped import BASE_MODELS, DEFAULT
from napari_lowdose.widgets.denoise import DenoisePanel
from napari_lowdose.widgets.spare_engine import SPARE
from napari_lowdose.widgets.stall import wait

_SHAPE = (100, 256, 256)


def main() -> None:
    """Click some times; print when the preview came, and when the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=3, help="one after the other")
    parser.add_argument("--warm-s", type=float, default=15.0, help="before each click")
    parser.add_argument("--model", default=DEFAULT, choices=list(BASE_MODELS))
    options = parser.parse_args()
    viewer = napari.Viewer()
    counts = np.random.default_rng(0).poisson(3.0, _SHAPE).astype(np.uint16)
    viewer.add_image(counts, name="movie")
    panel = DenoisePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Denoise")
    panel.reset_choices()
    panel.model.combo.value = BASE_MODELS[options.model].path
    came: dict[str, float] = {}

    def note(event: object) -> None:
        name = str(getattr(event, "value", ""))
        came.setdefault(name, time.perf_counter())

    viewer.layers.events.inserted.connect(note)
    for frame in range(10, 10 + options.clicks):
        viewer.dims.set_current_step(0, frame)
        wait(options.warm_s)
        came.clear()
        warm, start = SPARE.pid is not None, time.perf_counter()
        panel.go.click()
        wait(3600, until=lambda: not panel.running)
        seconds = {name: round(at - start, 2) for name, at in came.items()}
        sys.stdout.write(f"started ahead: {warm}  seconds to {seconds}\n")
        sys.stdout.flush()
    viewer.close()


if __name__ == "__main__":
    main()
