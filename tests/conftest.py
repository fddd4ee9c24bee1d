"""Movies with known truth, shared by all tests."""

import os
import tempfile
from pathlib import Path

# The list of recent models must not be the user's own.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="lowdose-data-")

import numpy as np
import pytest

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.stack import Stack

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
def colloids() -> Path:
    """A real movie, where it is at hand."""
    path = _DATA / "colloids.tif"
    if not path.exists():
        pytest.skip("the real colloid movie is not on this machine")
    return path
