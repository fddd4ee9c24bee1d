import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import (
    detect,
    direction_agreement,
    log_response,
    response_noise,
    responses_at,
)

SIGMA = 2.0


def movie(height, *, noise=0.1, seed=0):
    y, x = np.mgrid[:64, :64]
    spot = height * np.exp(-((y - 30) ** 2 + (x - 33) ** 2) / (2 * SIGMA**2))
    return spot + np.random.default_rng(seed).normal(0, noise, (3, 64, 64))


def one_spot(response=1.0):
    return pd.DataFrame(
        {"frame": [1], "y": [30.0], "x": [33.0], "sigma": SIGMA, "response": response}
    )


def test_the_response_at_a_spot_is_that_of_the_filter():
    stack = movie(5.0)
    found = detect(stack, sigmas_px=(1.5, SIGMA), threshold=0.5)
    values = responses_at(stack, found, within_px=0)
    np.testing.assert_array_equal(values, found["response"])


def test_the_largest_response_within_a_pixel_is_taken():
    stack = movie(5.0)
    around = log_response(stack, SIGMA)[1, 28:31, 32:35]
    assert responses_at(stack, one_spot().assign(y=29.0)) == around.max()


def test_the_least_direction_decides_in_units_of_its_own_noise():
    planes = {"xy": movie(5.0), "xt": movie(2.0, noise=0.02, seed=1)}
    seen = direction_agreement(one_spot(), planes)
    each = [
        responses_at(stack, one_spot()) / response_noise(stack, (SIGMA,))
        for stack in planes.values()
    ]
    assert seen["direction_min"].item() == pytest.approx(np.min(each))


def test_directions_that_agree_have_no_spread():
    stack = movie(5.0)
    seen = direction_agreement(one_spot(), {"xy": stack, "xt": stack, "yt": stack})
    # the deviation of equal numbers, in double precision
    assert seen["direction_spread"].item() == pytest.approx(0, abs=1e-12)


def test_a_spot_that_one_direction_does_not_show_has_little_and_spreads():
    real = direction_agreement(one_spot(), {"xy": movie(5.0), "xt": movie(4.0)})
    phantom = direction_agreement(one_spot(), {"xy": movie(5.0), "xt": movie(0.0)})
    # noise: within 4 deviations, and the best of nine places is above -1
    assert -1 < phantom["direction_min"].item() < 4 < real["direction_min"].item()
    assert phantom["direction_spread"].item() > 3 * real["direction_spread"].item()


def test_a_dark_spot_is_asked_for_as_dark():
    dark = direction_agreement(one_spot(-1.0), {"xy": -movie(5.0), "xt": -movie(4.0)})
    bright = direction_agreement(one_spot(), {"xy": movie(5.0), "xt": movie(4.0)})
    pd.testing.assert_frame_equal(
        dark.drop(columns="response"), bright.drop(columns="response")
    )


def test_what_cannot_be_asked_is_not_known():
    columns = ["direction_min", "direction_spread"]
    assert direction_agreement(one_spot(), {})[columns].isna().all(axis=None)
    single = direction_agreement(one_spot(), {"xy": movie(5.0)})
    assert single[columns].isna().to_numpy().tolist() == [[False, True]]
    missed = direction_agreement(one_spot(np.nan), {"xy": movie(5.0), "xt": movie(4.0)})
    assert missed[columns].isna().all(axis=None)
