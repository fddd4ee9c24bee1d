import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import (
    evidence_of,
    expected_evidence,
    familywise_threshold,
    local_intensity,
)


def bell(size, std):
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-(y**2 + x**2) / (2 * std**2))


def row(**values):
    columns = {"frame": 0, "id": 0, "visible": True, "amplitude": 1.0, **values}
    return pd.DataFrame([columns])


@pytest.mark.parametrize("height", [-0.4, -0.1, 0.2, 3.0])
def test_evidence_of_a_spot_is_the_sum_over_its_pixels(height):
    background, std = 0.5, 2.0
    expected = background + height * bell(41, std)
    likelihood = expected * np.log(expected / background) - expected + background
    found = expected_evidence(np.array([height]), np.array([std]), background)
    # a sum over pixels against its integral, whose tail ends at exp(-16)
    assert found[0] == pytest.approx(2 * likelihood.sum(), rel=1e-3)


def test_faint_spots_have_the_evidence_of_the_matched_filter():
    found = expected_evidence(np.array([0.01]), np.array([1.5]), 1.0)
    # z^2 = A^2 / (4 pi s^2 b) with A = 2 pi s^2 a; the next order is a / b / 3
    assert found[0] == pytest.approx(np.pi * 1.5**2 * 1e-4, rel=0.01)


def test_the_familywise_threshold_is_the_known_one():
    """Measured on 128 x 128 pixels of noise: 18.1 to 18.7, and 20.3 to 22.1 at 1 %."""
    assert familywise_threshold(128**2) == pytest.approx(18.3, abs=0.3)
    assert familywise_threshold(128**2, 0.01) == pytest.approx(21.3, abs=0.5)


def test_more_voxels_ask_for_more_evidence():
    values = [familywise_threshold(n) for n in (1, 10**4, 10**6)]
    assert values == sorted(values)


def test_local_intensity_is_disc_above_ring():
    frame = np.full((1, 40, 40), 3.0)
    y, x = np.mgrid[:40, :40]
    frame[0][np.hypot(y - 20, x - 15) <= 4] += 2
    found = local_intensity(frame, row(y=20.0, x=15.0, radius=4.0))
    assert found.tolist() == [2.0]


def test_local_intensity_at_the_rim_uses_what_is_in_the_frame():
    frame = np.full((1, 30, 30), 3.0)
    y, x = np.mgrid[:30, :30]
    frame[0][np.hypot(y, x - 15) <= 4] += 2
    assert local_intensity(frame, row(y=0.0, x=15.0, radius=4.0)).tolist() == [2.0]


def test_no_particles_have_no_intensities():
    none = row(y=1.0, x=1.0, radius=1.0).iloc[:0]
    assert len(local_intensity(np.ones((1, 8, 8)), none)) == 0


def test_evidence_of_a_particle_is_that_of_its_picture():
    frame = 0.8 + 1.5 * bell(41, 1.5)[None]
    found = evidence_of(frame, row(y=20.0, x=20.0, radius=4.0))
    expected = expected_evidence(np.array([1.5]), np.array([1.5]), 0.8)
    # the disc ends at four deviations, and the ring's median is not quite dark
    assert found[0] == pytest.approx(expected[0], rel=0.01)
