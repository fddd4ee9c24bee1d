import time

import numpy as np
import pytest

from napari_lowdose.particles import (
    Polarity,
    detect,
    detect_above,
    log_response,
    response_noise,
    response_std,
)


def spot(shape, centre, *, height, std):
    y, x = np.mgrid[: shape[0], : shape[1]]
    away = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
    return height * np.exp(-away / (2 * std**2))


@pytest.mark.parametrize("sigma", [1.2, 2.0, 4.0])
def test_response_to_white_noise_has_the_known_deviation(sigma):
    noise = np.random.default_rng(0).normal(0, 3, (16, 256, 256))
    # about 1e6 / (4 pi s^2) independent values: 0.7 % at 4 px, and 1 % for the pixels
    # that the Gaussian of 1.2 px is sampled at
    expected = 3 / (sigma * np.sqrt(2 * np.pi))
    assert log_response(noise, sigma).std() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("std", [1.5, 2.0, 3.0])
def test_response_at_a_gaussian_spot_of_the_scale_is_half_its_height(std):
    frame = spot((64, 64), (32, 32), height=7, std=std)
    response = log_response(frame[None], std)[0, 32, 32]
    # the Gaussian is cut at four deviations
    assert response == pytest.approx(3.5, rel=0.01)


def test_response_at_a_disc_is_the_known_share_of_its_height():
    y, x = np.mgrid[:128, :128]
    disc = (np.hypot(y - 64, x - 64) <= 20).astype(float)
    # 2 / e at the scale r / sqrt(2); the rim of a disc of 20 px is good to 1 / 40
    response = log_response(disc[None], 20 / np.sqrt(2))[0, 64, 64]
    assert response == pytest.approx(2 / np.e, rel=0.03)


def test_spots_are_found_where_they_are_with_their_scale():
    places = [(12, 40), (40, 12), (44, 46)]
    frame = 1 + sum(
        spot((64, 64), place, height=5, std=std)
        for place, std in zip(places, (1.2, 2.0, 3.0), strict=True)
    )
    found = detect(frame, sigmas_px=(1.2, 2.0, 3.0), threshold=0.5)
    assert found[["y", "x"]].to_numpy().tolist() == [
        list(map(float, p)) for p in places
    ]
    assert found["sigma"].tolist() == [1.2, 2.0, 3.0]
    # half the height, but for the tails of the others
    np.testing.assert_allclose(found["response"], 2.5, rtol=0.02)


@pytest.mark.parametrize(
    ("polarity", "signs"),
    [(Polarity.BRIGHT, [1]), (Polarity.DARK, [-1]), (Polarity.BOTH, [1, -1])],
)
def test_polarity_chooses_bright_spots_dark_ones_or_both(polarity, signs):
    frame = 9 + spot((48, 48), (10, 10), height=5, std=2)
    frame += spot((48, 48), (30, 30), height=-5, std=2)
    found = detect(frame, polarity=polarity, threshold=1)
    assert np.sign(found["response"]).tolist() == signs


def test_each_frame_of_a_stack_is_searched_on_its_own():
    frames = np.random.default_rng(0).poisson(2, (5, 40, 32))
    whole = detect(frames)
    for number, frame in enumerate(frames):
        alone = detect(frame).assign(frame=number)
        mine = whole[whole["frame"] == number].reset_index(drop=True)
        assert mine.equals(alone)


def test_of_two_near_spots_the_stronger_is_kept():
    frame = spot((40, 40), (20, 18), height=5, std=1)
    frame += spot((40, 40), (20, 22), height=4, std=1)
    for separation, n in [(3, 2), (4, 1)]:
        found = detect(frame, sigmas_px=(1.0,), threshold=0.5, separation_px=separation)
        assert len(found) == n
        assert found["x"].tolist()[0] == 18


def test_nothing_is_found_in_a_flat_stack():
    assert detect(np.full((2, 20, 20), 7.0)).empty


def test_a_movie_is_searched_in_two_seconds_of_one_core():
    frames = np.random.default_rng(0).poisson(1, (64, 128, 128)).astype(np.float32)
    start = time.process_time()
    detect(frames)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_a_level_of_many_counts_changes_nothing(dtype):
    # single precision holds 60000 to 0.004, of a response of 25
    frame = np.rint(spot((48, 48), (20, 22), height=50, std=2))
    low, high = (log_response((frame + b).astype(dtype)[None], 2.0) for b in (0, 6e4))
    np.testing.assert_allclose(high, low, atol=0.01)


@pytest.mark.parametrize("level", [7.0, 6e4])
def test_response_to_a_level_is_zero(level):
    assert not log_response(np.full((1, 30, 30), level), 1.6).any()


def test_noise_is_measured_on_the_stack_itself():
    noise = np.random.default_rng(0).normal(5, 3, (32, 128, 128))
    expected = [response_std(3, sigma) for sigma in (1.6, 2.5, 4.0)]
    # 5e5 / (4 pi s^2) independent values, the median 1.2 times as uncertain as a
    # deviation: 1.7 % at 4 px, and half a per cent for pixels
    measured = response_noise(noise, (1.6, 2.5, 4.0))
    np.testing.assert_allclose(measured, expected, rtol=0.04)


def test_particles_hardly_raise_the_measured_noise():
    noise = np.random.default_rng(0).normal(0, 1, (4, 128, 128))
    crowd = sum(
        spot((128, 128), (y, x), height=20, std=1.6)
        for y in range(16, 128, 32)
        for x in range(16, 128, 32)
    )
    quiet, crowded = (response_noise(s, (1.6,))[0] for s in (noise, noise + crowd))
    # the response to the spots is above the noise up to 9 px from them, in a quarter of
    # the area: at worst the median is the 2/3 quantile, 0.97 for 0.67 deviations
    assert quiet <= crowded < 1.45 * quiet


def test_spots_above_are_those_of_so_many_deviations_of_their_scale():
    frames = np.random.default_rng(0).normal(0, 3, (8, 96, 96))
    everything = detect(frames)
    strength = [
        row.response / response_std(3, row.sigma) for row in everything.itertuples()
    ]
    found = detect_above(frames, 3.5, noise_std=3.0)
    # the filter works in single, the ratio in double precision
    expected = np.array(strength)[np.array(strength) > 3.5]
    np.testing.assert_allclose(found["n_std"], expected, rtol=1e-6)
    assert 0 < len(found) < len(everything)


def test_the_measured_noise_serves_as_well_as_the_known_one():
    frames = np.random.default_rng(0).normal(0, 3, (16, 128, 128))
    known, measured = (
        len(detect_above(frames, 3.0, noise_std=std)) for std in (3.0, None)
    )
    # noise known to 2 % moves the tail beyond 3 deviations by exp(0.02 * 9) - 1
    assert measured == pytest.approx(known, rel=0.25)
