"""Draw the figures of specimens and noise: ``python docs/reference/figures.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy import ndarray

from napari_lowdose.compare.montage import Panel, draw
from napari_lowdose.compare.transfer_plot import draw_transfer
from napari_lowdose.noise import (
    DETECTORS,
    STAGES,
    Noise,
    add_noise,
    measure_noise,
    with_stage_settings,
)
from napari_lowdose.specimens import SPECIMENS, Scene
from napari_lowdose.stack import Stack

FOLDER = Path(__file__).parent / "figures"
DOSE = 5.0

# Stronger than usual, and at a dose, so that each shows in a small picture.
SHOWN: dict[str, tuple[float, dict[str, object]]] = {
    "scan": (200, {"jitter_px": 1.0, "flyback_px": 3.0}),
    "dose_drift": (200, {"dose_swing": 0.5}),
    "scatter": (200, {"scatter_cutoff": 0.08}),
    "poisson": (DOSE, {}),
    "one_pair": (DOSE, {"pair_variance": 1.0}),
    "phase": (0, {"hologram_electrons": 30}),
    "pulse_height": (DOSE, {"excess_factor": 4.0}),
    "response": (DOSE, {"mtf_cutoff": 0.1}),
    "afterglow": (DOSE, {"afterglow_px": 2.0}),
    "defects": (50, {"hot_share": 0.005, "dead_share": 0.005}),
    "spikes": (50, {"spike_share": 0.003}),
    "readout": (DOSE, {"readout_std": 4.0}),
    "line_noise": (50, {"row_std": 15.0, "stripe_std": 10.0}),
    "gaussian": (50, {"gaussian_std": 20.0}),
    "salt_pepper": (50, {"salt_share": 0.01, "pepper_share": 0.01}),
    "quantize": (4, {"bits": 8}),
}


def panel(title: str, caption: str, image: ndarray) -> Panel:
    """Show an image between its own percentiles."""
    low, high = np.percentile(image, (0.5, 99.7))
    shown: ndarray = (image.astype(float) - low) / max(high - low, 1e-9)
    return Panel(title, caption, shown)


def specimen_sheet(name: str, scene: Scene) -> None:
    """Show truth, noisy frame, and a slice through time of both."""
    noisy, truth = (stack.read() for stack in add_noise(scene.stack, Noise(dose=DOSE)))
    frame, row = len(truth) // 2, truth.shape[1] // 2
    tall = np.arange(truth.shape[1]) * len(truth) // truth.shape[1]
    panels = [
        panel("truth", "x-y", truth[frame]),
        panel("noisy", f"x-y, {DOSE:g} quanta per pixel", noisy[frame]),
        panel("truth", "x-t, downwards in time", truth[tall, row]),
        panel("noisy", "x-t, downwards in time", noisy[tall, row]),
    ]
    save(panels, f"specimen-{name}")


def stage_sheet(clean: Stack) -> None:
    """Show each stage alone."""
    panels = [panel("truth", "expected counts", clean.read()[0])]
    for name in STAGES:
        dose, settings = SHOWN[name]
        stage = STAGES[name](**settings)
        alone = Noise(dose=dose, stages=(stage,))
        if name in ("pulse_height", "response", "afterglow", "defects", "spikes"):
            # They act on what was counted.
            alone = with_stage_settings(Noise(dose=dose), settings)
        noisy, _ = add_noise(clean, alone)
        caption = f"{dose:g} quanta per pixel" if dose else "radians"
        shown = noisy.read()[0]
        if name == "dose_drift":  # a single frame would not show it
            shown, caption = noisy.read()[:, shown.shape[0] // 2], "x-t, downwards"
        panels.append(panel(name.replace("_", " "), caption, shown))
    save(panels, "stages")


def detector_sheet(clean: Stack) -> None:
    """Show every named recipe at its own dose."""
    panels = []
    for name, recipe in DETECTORS.items():
        noisy, _ = add_noise(clean, recipe)
        caption = f"{recipe.dose:g} quanta per pixel" if recipe.dose else "radians"
        panels.append(panel(name.replace("_", " "), caption, noisy.read()[0]))
    save(panels, "detectors")


def transfer_figure() -> None:
    """Show the photon-transfer curve of a camera with a gain of 2."""
    kind = SPECIMENS["catalyst"]
    clean = kind.render(kind.settings(frames=64, size=256, n_particles=60)).stack
    camera = {"gain": 2.0, "offset": 100.0, "readout_std": 4.0}
    noisy, _ = add_noise(clean, with_stage_settings(Noise(dose=DOSE), camera))
    measured = measure_noise(noisy.read())
    draw_transfer(measured.transfer).save(FOLDER / "transfer.png", optimize=True)


def save(panels: list[Panel], name: str) -> None:
    """Write a sheet with few greys, which the pictures do not need."""
    sheet = draw(panels, limits=(0, 1)).quantize(64)
    sheet.save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Write all figures."""
    FOLDER.mkdir(exist_ok=True)
    for name, specimen in SPECIMENS.items():
        specimen_sheet(name, specimen.render(specimen.settings(seed=1)))
    kind = SPECIMENS["catalyst"]
    settings = kind.settings(frames=96, size=96, n_particles=10, seed=1)
    clean = kind.render(settings).stack
    stage_sheet(clean)
    detector_sheet(clean)
    transfer_figure()


if __name__ == "__main__":
    main()
