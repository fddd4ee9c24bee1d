"""What can happen to counts, in the order in which it happens in a microscope.

To add a step: write its file, add its line here. The form, the command line, the
recipe and its JSON take it from this mapping.
"""

from collections.abc import Mapping

from napari_lowdose.noise.stage import Stage
from napari_lowdose.noise.stages.poisson import Poisson
from napari_lowdose.noise.stages.readout import Readout

STAGES: Mapping[str, type[Stage]] = {
    "poisson": Poisson,
    "readout": Readout,
}

__all__ = ["STAGES", "Poisson", "Readout"]
