"""Movies with known truth: expected brightness of moving specimens.

To add one: write its file, add its line here. The panel, the command line, the figures
and the benchmark take it from this mapping.
"""

from collections.abc import Mapping

from napari_lowdose.specimens.catalyst import Catalyst, render_catalyst, vary_catalyst
from napari_lowdose.specimens.fluorescence import (
    Fluorescence,
    render_fluorescence,
    vary_fluorescence,
)
from napari_lowdose.specimens.gaussian_peaks import (
    GaussianPeaks,
    render_gaussian_peaks,
    vary_gaussian_peaks,
)
from napari_lowdose.specimens.lattice import Lattice, render_lattice, vary_lattice
from napari_lowdose.specimens.pn_junction import (
    PNJunction,
    render_pn_junction,
    vary_pn_junction,
)
from napari_lowdose.specimens.scene import Happening, Scene
from napari_lowdose.specimens.specimen import Movie, Specimen

SPECIMENS: Mapping[str, Specimen] = {
    "catalyst": Specimen(Catalyst, render_catalyst, vary_catalyst),
    "gaussian_peaks": Specimen(
        GaussianPeaks, render_gaussian_peaks, vary_gaussian_peaks
    ),
    "lattice": Specimen(Lattice, render_lattice, vary_lattice),
    "fluorescence": Specimen(Fluorescence, render_fluorescence, vary_fluorescence),
    "pn_junction": Specimen(PNJunction, render_pn_junction, vary_pn_junction),
}

__all__ = [
    "SPECIMENS",
    "Catalyst",
    "Fluorescence",
    "GaussianPeaks",
    "Happening",
    "Lattice",
    "Movie",
    "PNJunction",
    "Scene",
    "Specimen",
]
