"""Movies with known truth, shared by all tests."""

import os
import tempfile
from pathlib import Path

# The list of recent models must not be the user's own.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="lowdose-data-")
# Nor the results of earlier comparisons.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="lowdose-cache-")

import numpy as np
import pytest
from hypothesis import settings

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.stack import Stack

# Laws hold on slow machines, too.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def clean() -> Stack:
    """A small catalyst movie, in units of the carbon's brightness."""
    return (
        SPECIMENS["catalyst"].render(Catalyst(frames=24, size=48, n_particles=6)).stack
    )


@pytest.fixture(scope="session")
def movie(clean: Stack):
    """Give the noisy and the true movie at a dose in electrons per pixel."""

    def at(dose: float = 1.0, seed: int = 0) -> tuple[Stack, Stack]:
        return add_noise(clean, Noise(dose=dose, seed=seed))

    return at


@pytest.fixture(scope="session")
def noisy(movie) -> np.ndarray:
    """Counts at one electron per pixel."""
    return movie()[0].read()


@pytest.fixture(scope="session")
def truth(movie) -> np.ndarray:
    """Expected counts at one electron per pixel."""
    return movie()[1].read()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> Path:
    """A base model of tiny networks, with the weights that chance gave."""
    import torch

    from napari_lowdose.base_models import BaseFile, save_base
    from napari_lowdose.base_models.file import BaseHeader
    from napari_lowdose.config import BaseTraining, LooksSettings
    from napari_lowdose.networks import LooksNetwork

    torch.manual_seed(0)
    training = BaseTraining(network=LooksSettings(depth=1, width=4))
    header = BaseHeader(
        training=training, steps=0, covariance=((1, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    file = BaseFile(LooksNetwork(training.network), header)
    return save_base(file, tmp_path_factory.mktemp("base") / "tiny.lowdose")


@pytest.fixture(scope="session")
def colloids() -> Path:
    """A real movie, where it is at hand."""
    path = _DATA / "colloids.tif"
    if not path.exists():
        pytest.skip("the real colloid movie is not on this machine")
    return path
