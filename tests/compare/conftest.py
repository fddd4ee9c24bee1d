"""A movie, and a model that needs no training, for all comparisons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.compare import ModelMethod, OpenedModel, compare, methods_of
from napari_lowdose.config import Comparison, Plane
from napari_lowdose.denoiser import Denoised
from napari_lowdose.fusion import disagreement, fuse
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst

FEW = ("gaussian", "wiener")


class Smoothing:
    """A linear denoiser: a Gaussian in the two directions of each plane."""

    def __init__(self, planes=tuple(Plane)):
        self.planes = planes

    def denoised(self, stack):
        widths = {p: [0 if i == p.axis else 1.5 for i in range(3)] for p in self.planes}
        counts = stack.astype(np.float32)
        seen = {p: ndimage.gaussian_filter(counts, w) for p, w in widths.items()}
        apart = disagreement(seen) if len(seen) > 1 else None
        return Denoised(fuse(seen), seen, apart)

    def __call__(self, stack):
        return self.denoised(stack).fused


def open_smoothing(path, noisy, denoising):
    """Open any file as a model that smooths."""
    planes = denoising.planes
    step = {"planes": [str(plane) for plane in planes], "fusion": "mean"}
    return OpenedModel(Smoothing(planes), ("it only smooths",), step)


@pytest.fixture(scope="session")
def open_model():
    return open_smoothing


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """A file that stands for a model."""
    path = tmp_path_factory.mktemp("models") / "smooth.lowdose"
    path.write_bytes(b"weights")
    return path


@pytest.fixture(scope="session")
def smoothing(model_file):
    """The model as a method."""
    return ModelMethod("smooth", str(model_file), open_smoothing)


@pytest.fixture(scope="session")
def pair():
    """A noisy movie of one electron per pixel, and its truth."""
    settings = Catalyst(frames=16, size=48, n_particles=4)
    clean = SPECIMENS["catalyst"].render(settings).stack
    return add_noise(clean, Noise(dose=1.0))


@pytest.fixture(scope="session")
def small_pair(pair):
    """A corner of both, where what they hold is not asked."""
    return tuple(replace(s, data=np.asarray(s.data)[:8, :24, :24]) for s in pair)


@pytest.fixture(scope="session")
def results(pair, smoothing):
    noisy, truth = pair
    methods = [*methods_of(Comparison(baselines=FEW)), smoothing]
    return list(compare(noisy, truth=truth, methods=methods))
