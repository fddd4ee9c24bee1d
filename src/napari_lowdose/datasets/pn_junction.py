"""Pairs of PN junction images: tri-directional paper, section 3."""

from __future__ import annotations

from napari_lowdose.datasets.dataset import DataSet, Item, Made, pair, vary
from napari_lowdose.datasets.levels import drawn_noise
from napari_lowdose.specimens import SPECIMENS


def _make(item: Item) -> Made:
    specimen = SPECIMENS["pn_junction"]
    noise = drawn_noise(item.index, item.rng)
    return pair(specimen.render(vary(specimen, item)).stack, noise), noise.dose


PN_JUNCTION = DataSet(
    "5,120 pairs of PN junction images, as 40 movies of 128 frames (tri-directional)",
    n_items=40,
    frames=128,
    size=128,
    parts={"noisy": "float32", "truth": "float32"},
    make=_make,
)
