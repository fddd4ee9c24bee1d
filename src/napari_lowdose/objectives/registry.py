"""All objectives by name."""

from collections.abc import Mapping

from napari_lowdose.objectives.noise2void import fill_noise2void, judge_noise2void
from napari_lowdose.objectives.objective import Objective
from napari_lowdose.objectives.supervised import fill_supervised, judge_supervised
from napari_lowdose.objectives.thinning import fill_thinning, judge_thinning

OBJECTIVES: Mapping[str, Objective] = {
    "supervised": Objective(
        fill_supervised,
        needs_truth=True,
        summary="predict the truth of a simulated or high-dose stack",
        verdict=judge_supervised,
    ),
    "thinning": Objective(
        fill_thinning,
        needs_truth=False,
        summary="predict one part of the quanta from the other; for detectors that "
        "count, or whose gain, offset and readout noise are known",
        verdict=judge_thinning,
    ),
    "noise2void": Objective(
        fill_noise2void,
        needs_truth=False,
        summary="predict hidden pixels; for noise that is independent between pixels",
        verdict=judge_noise2void,
    ),
}
