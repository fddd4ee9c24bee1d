"""Movies of a catalyst: tri-directional paper, section 3."""

from __future__ import annotations

from napari_lowdose.datasets.dataset import DataSet, Item, Made, pair, vary
from napari_lowdose.datasets.levels import drawn_noise
from napari_lowdose.specimens import SPECIMENS


def _make(item: Item) -> Made:
    specimen = SPECIMENS["catalyst"]
    noise = drawn_noise(item.index, item.rng)
    return pair(specimen.render(vary(specimen, item)).stack, noise), noise.dose


CATALYST = DataSet(
    "300 movies of 128 frames of a platinum catalyst (tri-directional)",
    n_items=300,
    frames=128,
    size=128,
    parts={"noisy": "float32", "truth": "float32"},
    make=_make,
)
