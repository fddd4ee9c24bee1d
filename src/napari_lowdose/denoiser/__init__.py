"""A fitted denoiser, and the one place where arrays become tensors and come back."""

from napari_lowdose.denoiser.denoised import Denoised, Progress, exhausted, part_of
from napari_lowdose.denoiser.denoiser import Denoiser
from napari_lowdose.denoiser.independent import independent
from napari_lowdose.denoiser.passing import predict

__all__ = [
    "Denoised",
    "Denoiser",
    "Progress",
    "exhausted",
    "independent",
    "part_of",
    "predict",
]
