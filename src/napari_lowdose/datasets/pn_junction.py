"""Pairs of PN junction images: tri-directional paper, section 3."""

from functools import partial

from napari_lowdose.datasets.dataset import DataSet
from napari_lowdose.datasets.levels import noisy_movie

PN_JUNCTION = DataSet(
    "5,120 pairs of PN junction images, as 40 movies of 128 frames (tri-directional)",
    n_items=40,
    frames=128,
    size=128,
    parts={"noisy": "float32", "truth": "float32"},
    make=partial(noisy_movie, "pn_junction"),
)
