from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_lowdose.trust.brightness import quanta_per_count, spot_brightness


def spot(height, width, y, x, sigma):
    """A Gaussian spot of sum 1."""
    rows, columns = np.mgrid[:height, :width]
    square = (rows - y) ** 2 + (columns - x) ** 2
    return np.exp(-square / (2 * sigma**2)) / (2 * np.pi * sigma**2)


@pytest.mark.parametrize("background", [0.0, 100.0])
@pytest.mark.parametrize("counts", [50.0, -20.0])
def test_a_spot_has_its_counts_whatever_the_background(counts, background):
    stack = np.full((3, 40, 50), background)
    stack[1] += counts * spot(40, 50, 20.3, 30.6, 1.6)
    spots = pd.DataFrame(
        {"frame": [1, 0], "y": [20.3, 20.3], "x": [30.6, 30.6], "sigma": [1.6, 1.6]}
    )
    here, before = spot_brightness(stack, spots)
    # the model is exact; what remains is rounding
    assert here == pytest.approx(counts, rel=1e-9)
    assert before == pytest.approx(0, abs=1e-9)


def test_a_spot_at_the_rim_is_measured_on_what_there_is_of_it():
    stack = 10 + 30 * spot(32, 32, 0.0, 31.0, 1.5)[None]
    spots = pd.DataFrame({"frame": [0], "y": [0.0], "x": [31.0], "sigma": [1.5]})
    assert spot_brightness(stack, spots)[0] == pytest.approx(30, rel=1e-9)


def test_a_frame_that_is_not_there_has_no_brightness():
    spots = pd.DataFrame({"frame": [-1, 5], "y": [4.0] * 2, "x": [4.0] * 2})
    brightness = spot_brightness(np.zeros((5, 9, 9)), spots.assign(sigma=1.0))
    assert np.isnan(brightness).all()


def test_no_spots_have_no_brightness():
    none = pd.DataFrame({"frame": [], "y": [], "x": [], "sigma": []})
    assert spot_brightness(np.zeros((5, 9, 9)), none).shape == (0,)


def test_the_unit_is_read_off_clear_spots_and_not_off_invented_ones():
    rng = np.random.default_rng(0)
    brightness = np.concatenate([rng.uniform(50, 100, 40), np.full(200, 80.0)])
    std = np.full(240, 2.0)
    truth = np.concatenate([brightness[:40] / 4, np.zeros(200)])
    amplitude = truth + rng.normal(0, std)
    # 40 spots of about 19 +- 2 quanta give the slope to 1.7 %
    assert quanta_per_count(amplitude, std, brightness) == pytest.approx(0.25, rel=0.06)
    assert np.isnan(quanta_per_count(np.zeros(3), np.ones(3), np.ones(3)))
