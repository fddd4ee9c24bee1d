"""Two noisy images of each scene: low-dose denoising with one pair, section 3.1."""

from __future__ import annotations

import numpy as np

from napari_lowdose.datasets.dataset import DataSet, Item, Made, drawn_seed, vary
from napari_lowdose.noise import Noise, Poisson, Readout, add_noise
from napari_lowdose.specimens import SPECIMENS, Movie

_PHOTONS = (100.0, 500.0, 5000.0)
_VARIANCE = 0.1  # of the Gaussian noise, as a share of the brightest expected count


def _make(item: Item) -> Made:
    """Record a scene of cells twice; the three doses take turns.

    The paper's equation counts the signal twice; this is its physical form.
    """
    photons = _PHOTONS[item.index % len(_PHOTONS)]
    clean = SPECIMENS["fluorescence"].render(_cells(item)).stack
    brightness = clean.read()
    brightest = photons * float(brightness.max() / brightness.mean(dtype=np.float64))
    gaussian = Readout(
        gain=1.0, offset=0.0, readout_std=float(np.sqrt(_VARIANCE * brightest))
    )
    made = {}
    for name in ("first", "second"):
        noise = Noise(
            dose=photons, stages=(Poisson(), gaussian), seed=drawn_seed(item.rng)
        )
        noisy, truth = add_noise(clean, noise)
        made[name] = noisy.read()
    return {**made, "truth": truth.read()}, photons


def _cells(item: Item) -> Movie:
    """Draw cells with nuclei brighter than they are, and nothing else."""
    settings = vary(SPECIMENS["fluorescence"], item)
    nuclei: dict[tuple[str, ...], object] = {
        ("n_cells",): int(item.rng.integers(4, 12)),
        ("nucleus_brightness",): item.rng.uniform(2, 6),
        ("n_filaments",): 0,
        ("n_vesicles",): 0,
    }
    return settings.replaced(nuclei)


ONE_PAIR = DataSet(
    "220 noisy pairs of images of cells at each of 100, 500, 5000 photons (one pair)",
    n_items=660,
    frames=1,
    size=512,
    parts={"first": "float32", "second": "float32", "truth": "float32"},
    make=_make,
)
