"""Platinum on ceria in vacuum: Deep denoising for scientific discovery (SBD)."""

from __future__ import annotations

import numpy as np

from napari_lowdose.datasets.dataset import DataSet, Item, Made, drawn_seed, pair
from napari_lowdose.noise import Noise
from napari_lowdose.specimens import SPECIMENS, Lattice
from napari_lowdose.specimens.lattice import Crystal, Imaging

# Numbers of images in the test list of the paper's repository, by contrast.
_WHITE, _INTERMEDIATE, _BLACK = 1_117, 2_286, 164
_THICKNESSES_NM = (3.0, 4.0, 5.0, 6.0)


def _make(item: Item) -> Made:
    """Draw defects, thickness, tilt and contrast in the ranges of the paper's set."""
    rng = item.rng
    imaging, contrast = _contrast(rng)
    settings = Lattice(
        frames=item.frames,
        size=item.size,
        seed=drawn_seed(rng),
        crystal=Crystal.PT_ON_CEO2,
        imaging=imaging,
        contrast=contrast,
        # The paper's augmentation: scale and turn.
        magnification=rng.uniform(0.75, 0.82) / 0.785,
        rotation_deg=rng.uniform(-45, 45),
        thickness_nm=float(rng.choice(_THICKNESSES_NM)),
        tilt_deg=rng.uniform(0, 4),
        vacancy_share=rng.uniform(0, 0.1),
        blink_rate=rng.uniform(0.005, 0.1),
    )
    # The specimen is in expected counts: 0.45 in vacuum.
    clean = SPECIMENS["lattice"].render(settings).stack
    made = pair(clean, Noise(dose=0, seed=drawn_seed(rng)))
    return made, float(made["truth"].mean())


def _contrast(rng: np.random.Generator) -> tuple[Imaging, float]:
    """Draw whether columns are white, black, or between, in the paper's proportions."""
    chance = rng.random() * (_WHITE + _INTERMEDIATE + _BLACK)
    if chance < _WHITE:
        return Imaging.BRIGHT_FIELD_WHITE, rng.uniform(0.7, 1)
    if chance < _WHITE + _BLACK:
        return Imaging.BRIGHT_FIELD_DARK, rng.uniform(0.7, 1)
    sides = (Imaging.BRIGHT_FIELD_WHITE, Imaging.BRIGHT_FIELD_DARK)
    return sides[int(rng.integers(2))], rng.uniform(0.1, 0.5)


SBD = DataSet(
    "18,000 images of a platinum particle on ceria at 0.45 counts in vacuum (SBD)",
    n_items=18_000,
    frames=1,
    size=400,
    parts={"noisy": "uint16", "truth": "float32"},
    make=_make,
)
