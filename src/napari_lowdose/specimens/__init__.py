"""Movies with known truth: expected brightness of moving specimens.

To add one: write its file, add its line here. The panel, the command line, the figures
and the benchmark take it from this mapping.
"""

from collections.abc import Mapping

from napari_lowdose.specimens.catalyst import Catalyst, render_catalyst
from napari_lowdose.specimens.scene import Happening, Scene
from napari_lowdose.specimens.specimen import Movie, Specimen

SPECIMENS: Mapping[str, Specimen] = {
    "catalyst": Specimen(Catalyst, render_catalyst),
}

__all__ = ["SPECIMENS", "Catalyst", "Happening", "Movie", "Scene", "Specimen"]
