"""Measure whether training stalls the viewer; run as a module, it needs a screen.

``python -m napari_lowdose.widgets.stall`` trains by the real panel on a movie of 64 x
256 x 256 voxels, and measures the gaps between the ticks of a 10 ms timer in the
viewer's main loop, with and without the movie playing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from numpy import ndarray
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QApplication

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.widgets.layers import add_stack
from napari_lowdose.widgets.train import TrainPanel

_TICK_MS = 10
_FRAME_MS = 100
_SIZE = 256


def wait(seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    """Let the main loop run for some time, or until something is true."""
    app, end = QApplication.instance(), time.monotonic() + seconds
    while time.monotonic() < end and not until():
        assert app is not None
        app.processEvents()
        time.sleep(0.001)


def gaps_ms(viewer: napari.Viewer, seconds: float, *, playing: bool) -> ndarray:
    """Measure the gaps between timer ticks, in milliseconds."""
    ticks: list[float] = []
    tick, play = QTimer(), QTimer()
    tick.setTimerType(Qt.TimerType.PreciseTimer)
    tick.timeout.connect(lambda: ticks.append(time.perf_counter()))
    n_frames = int(viewer.dims.nsteps[0])

    def next_frame() -> None:
        viewer.dims.set_current_step(0, (viewer.dims.current_step[0] + 1) % n_frames)

    play.timeout.connect(next_frame)
    tick.start(_TICK_MS)
    if playing:
        play.start(_FRAME_MS)
    # A loop of its own, as in a session: processEvents in a Python loop adds gaps.
    # Not the application's: at its end napari quits all workers, the training too.
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
    tick.stop()
    play.stop()
    return np.diff(ticks) * 1e3


def report(what: str, gaps: ndarray) -> None:
    """Print one line of figures."""
    p50, p99 = np.percentile(gaps, (50, 99))
    sys.stdout.write(
        f"{what:<22} n {len(gaps):5d}  p50 {p50:5.1f}  p99 {p99:5.1f}  "
        f"max {gaps.max():6.1f} ms  above 50 ms {int((gaps > 50).sum()):3d}\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Measure idle and training, still and playing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="per measurement")
    seconds = parser.parse_args().seconds
    viewer = napari.Viewer()
    clean = SPECIMENS["catalyst"].render(Catalyst(size=_SIZE, n_particles=60)).stack
    noisy, truth = add_noise(clean, Noise())
    layers = [add_stack(viewer, stack) for stack in (truth, noisy)]
    layers[0].visible = False  # each visible layer adds to what playing costs by itself
    panel = TrainPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Train")
    panel.reset_choices()
    panel.noisy.value = layers[1]
    panel.truth.value = layers[0]
    panel.form.config = panel.form.config.model_copy(update={"epochs": 1000})
    with tempfile.TemporaryDirectory() as folder:
        panel.model.setText(str(Path(folder) / "stall.lowdose"))
        wait(3)
        report("idle", gaps_ms(viewer, seconds, playing=False))
        report("idle, playing", gaps_ms(viewer, seconds, playing=True))
        panel.go.click()
        wait(60, until=lambda: bool(panel.plot.curves.get("train")))
        report("training", gaps_ms(viewer, seconds, playing=False))
        report("training, playing", gaps_ms(viewer, seconds, playing=True))
        panel.stop.click()
        wait(30, until=lambda: not panel.running)
    viewer.close()


if __name__ == "__main__":
    main()
