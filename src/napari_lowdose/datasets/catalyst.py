"""Movies of a catalyst: tri-directional paper, section 3."""

from functools import partial

from napari_lowdose.datasets.dataset import DataSet
from napari_lowdose.datasets.levels import noisy_movie

CATALYST = DataSet(
    "300 movies of 128 frames of a platinum catalyst (tri-directional)",
    n_items=300,
    frames=128,
    size=128,
    parts={"noisy": "float32", "truth": "float32"},
    make=partial(noisy_movie, "catalyst"),
)
