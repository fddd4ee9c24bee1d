"""What a low-dose detector does to expected counts, and how counts can be split."""

from napari_lowdose.noise.level import noise_share
from napari_lowdose.noise.model import add_noise
from napari_lowdose.noise.thinning import looks_counted, thin

__all__ = ["add_noise", "looks_counted", "noise_share", "thin"]
