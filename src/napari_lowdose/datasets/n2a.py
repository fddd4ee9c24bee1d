"""Clean images of Gaussian peaks: Noise2Atom, section "Simulated data"."""

from __future__ import annotations

from napari_lowdose.datasets.dataset import DataSet, Item, Made, vary
from napari_lowdose.specimens import SPECIMENS


def _make(item: Item) -> Made:
    specimen = SPECIMENS["gaussian_peaks"]
    truth = specimen.render(vary(specimen, item)).stack
    return {"truth": truth.read()}, 0.0


N2A = DataSet(
    "32,768 clean images of Gaussian peaks, 128 to an item (Noise2Atom)",
    n_items=256,
    frames=128,
    size=128,
    parts={"truth": "float32"},
    make=_make,
)
