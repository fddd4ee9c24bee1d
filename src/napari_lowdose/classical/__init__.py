"""Classical filters to compare with, each tuned on the stack at hand."""

from collections.abc import Mapping

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.bilateral import BILATERAL
from napari_lowdose.classical.gaussian import GAUSSIAN
from napari_lowdose.classical.nonlocal_means import NONLOCAL_MEANS
from napari_lowdose.classical.tuning import Tuned, tune
from napari_lowdose.classical.wiener import WIENER

BASELINES: Mapping[str, Baseline] = {
    "gaussian": GAUSSIAN,
    "bilateral": BILATERAL,
    "nonlocal_means": NONLOCAL_MEANS,
    "wiener": WIENER,
}

__all__ = ["BASELINES", "Baseline", "Setting", "Tuned", "tune"]
