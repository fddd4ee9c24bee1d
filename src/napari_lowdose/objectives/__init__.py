"""What a network learns from: how noisy patches become inputs and targets.

To add one: write its file, add its line here. The form, the command line and the
checkpoint take it from this mapping.
"""

from collections.abc import Mapping

from napari_lowdose.objectives.noise2void import fill_noise2void
from napari_lowdose.objectives.objective import Batch, Objective, Patches
from napari_lowdose.objectives.supervised import fill_supervised
from napari_lowdose.objectives.thinning import fill_thinning

OBJECTIVES: Mapping[str, Objective] = {
    "supervised": Objective(
        fill_supervised,
        needs_truth=True,
        summary="predict the truth of a simulated or high-dose stack",
    ),
    "thinning": Objective(
        fill_thinning,
        needs_truth=False,
        summary="predict one part of the counts from the other; for counting detectors",
    ),
    "noise2void": Objective(
        fill_noise2void,
        needs_truth=False,
        summary="predict hidden pixels; for noise that is independent between pixels",
    ),
}

__all__ = ["OBJECTIVES", "Batch", "Objective", "Patches"]
