"""Movies with known truth: expected brightness of moving specimens."""

from collections.abc import Mapping

from napari_lowdose.config import Catalyst
from napari_lowdose.specimens.catalyst import render_catalyst
from napari_lowdose.specimens.specimen import Specimen

SPECIMENS: Mapping[str, Specimen] = {
    "catalyst": Specimen(Catalyst, render_catalyst),
}

__all__ = ["SPECIMENS", "Specimen"]
