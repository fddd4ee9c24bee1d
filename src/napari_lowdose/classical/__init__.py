"""Classical filters to compare with, each tuned on the stack at hand."""

from collections.abc import Mapping

from napari_lowdose.classical import bm4d
from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.bilateral import BILATERAL
from napari_lowdose.classical.gaussian import GAUSSIAN
from napari_lowdose.classical.gaussian_3d import GAUSSIAN_3D
from napari_lowdose.classical.nonlocal_means import NONLOCAL_MEANS
from napari_lowdose.classical.nonlocal_means_3d import NONLOCAL_MEANS_3D
from napari_lowdose.classical.nonlocal_means_multi import NONLOCAL_MEANS_MULTI
from napari_lowdose.classical.pgure_svt import PGURE_SVT
from napari_lowdose.classical.running_mean import RUNNING_MEAN
from napari_lowdose.classical.stabilized import stabilized
from napari_lowdose.classical.temporal_median import TEMPORAL_MEDIAN
from napari_lowdose.classical.total_variation import TOTAL_VARIATION
from napari_lowdose.classical.tuning import Tuned, tune
from napari_lowdose.classical.wavelet import WAVELET
from napari_lowdose.classical.wiener import WIENER

BASELINES: Mapping[str, Baseline] = {
    "gaussian": GAUSSIAN,
    "bilateral": BILATERAL,
    "nonlocal_means": NONLOCAL_MEANS,
    "wiener": WIENER,
    "gaussian_3d": GAUSSIAN_3D,
    "temporal_median": TEMPORAL_MEDIAN,
    "running_mean": RUNNING_MEAN,
    "total_variation": TOTAL_VARIATION,
    "wavelet": WAVELET,
    "nonlocal_means_multi": NONLOCAL_MEANS_MULTI,
    "nonlocal_means_3d": NONLOCAL_MEANS_3D,
    "pgure_svt": PGURE_SVT,
    **({"bm4d": bm4d.BM4D} if bm4d.INSTALLED else {}),
}

__all__ = ["BASELINES", "Baseline", "Setting", "Tuned", "stabilized", "tune"]
