import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.base_models.prepared import Prepared
from napari_lowdose.classical.line_noise import find_line_noise
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst


@pytest.fixture(scope="module")
def counted() -> np.ndarray:
    clean = SPECIMENS["catalyst"].render(Catalyst(frames=64, size=128, seed=5)).stack
    return add_noise(clean, Noise(dose=2.0))[0].read().astype(np.float32)


def spread(stack: np.ndarray) -> np.ndarray:
    """Have each pixel's light spread along rows and columns."""
    weights = [0.15, 0.7, 0.15]
    rows = ndimage.convolve1d(stack, weights, axis=1)
    return ndimage.convolve1d(rows, weights, axis=2)


def test_independent_noise_is_left_as_it_is(counted):
    prepared = Prepared.of(counted)
    assert prepared.even is counted
    assert not prepared.reading.shared
    assert prepared.notes == ()


def test_noise_that_neighbours_share_is_not_taken_for_lines(counted):
    """It adds up along rows and columns."""
    counts = spread(counted)
    assert find_line_noise(counts)
    prepared = Prepared.of(counts)
    (note,) = prepared.notes
    assert note.startswith("Neighbouring pixels share noise (a correlation of 0.")
    assert not find_line_noise(prepared.even)


def test_lines_beside_noise_that_neighbours_share_are_taken_off(counted):
    rng = np.random.default_rng(0)
    plain = spread(counted)
    lines = rng.normal(0, 0.5 * np.diff(plain, axis=0).std(), (*plain.shape[:2], 1))
    lined = (plain + lines).astype(np.float32)
    prepared = Prepared.of(lined)
    rows, neighbours = prepared.notes
    assert rows.startswith("The rows of each frame share noise")
    assert neighbours.startswith("Neighbouring pixels share noise")
    left = Prepared.of(lined, remove_lines=False)
    assert not any("rows of each frame" in note for note in left.notes)
    # A row of 128 pixels tells its own noise to a 128th of their variance, which is
    # twice that of the lines here, and some lines pass for specimen.
    wrong = (prepared.even - Prepared.of(plain).even).var()
    assert wrong < 0.2 * lines.var()
