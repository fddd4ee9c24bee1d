import numpy as np
import pandas as pd
import pytest

from napari_lowdose.particles import Verdict, summary

FRAMES = 20


def track(number, frames, *, response=5.0, p_phantom=0.0, verdict=Verdict.SUPPORTED):
    frames = np.asarray(frames, np.int64)
    return pd.DataFrame(
        {
            "frame": frames,
            "track": number,
            "response": response,
            "p_phantom": p_phantom,
            "verdict": verdict,
        }
    )


def test_phantoms_per_frame_are_the_sum_of_their_chances():
    table = pd.concat(
        [
            track(0, range(20), p_phantom=0.1),
            track(1, [3], p_phantom=0.9, verdict=Verdict.PHANTOM),
            track(2, [4], p_phantom=0.7, verdict=Verdict.SINGLE_FRAME),
            track(3, [5, 6], p_phantom=np.nan, verdict=Verdict.MISSED),
        ]
    )
    found = summary(table, FRAMES)
    assert found["spots_per_frame"] == pytest.approx(22 / 20)
    assert found["phantoms_per_frame"] == pytest.approx((2 + 0.9 + 0.7) / 20)
    assert found["single_per_frame"] == pytest.approx(1 / 20)
    assert found["missed_per_frame"] == pytest.approx(2 / 20)
    assert found["tracks"] == 1
    assert found["median_track_frames"] == 20


def test_a_steady_or_slowly_growing_particle_does_not_flicker():
    steady = track(0, range(20))
    growing = track(1, range(20), response=np.linspace(1, 5, 20))
    assert summary(steady, FRAMES)["flicker"] == 0
    # off the ends, where the window is shorter, it is its own running median
    assert summary(growing, FRAMES)["flicker"] < 0.05


def test_flicker_is_the_deviation_from_the_running_median():
    noise = np.random.default_rng(0).normal(1, 0.1, 4000)
    # what a median of 5 normal values follows leaves about 0.87 of the deviation
    flicker = summary(track(0, range(4000), response=noise), 4000)["flicker"]
    assert flicker == pytest.approx(0.087, rel=0.15)


def test_short_tracks_and_likely_phantoms_do_not_count_for_flicker():
    wild = np.tile([1.0, 9.0], 10)
    short = track(0, range(9), response=wild[:9])
    phantom = track(1, range(20), response=wild, p_phantom=0.9)
    assert np.isnan(summary(pd.concat([short, phantom]), FRAMES)["flicker"])


def test_fading_is_a_missing_spot_where_the_counts_have_the_particle():
    shown = [t for t in range(20) if t not in {5, 6, 11}]
    courses = pd.DataFrame(
        {
            "track": 0,
            "frame": np.arange(-2, 22),
            "present": 1.0,
            "detected": np.isin(np.arange(-2, 22), shown),
        }
    )
    courses.loc[courses["frame"] == 11, "present"] = 0.1  # it was gone
    found = summary(track(0, shown), FRAMES, courses=courses)
    assert found["fade_rate"] == pytest.approx(2 / 19)
    assert np.isnan(summary(track(0, shown), FRAMES)["fade_rate"])


def test_where_nothing_is_found_rates_are_zero_and_means_unknown():
    found = summary(track(0, []), FRAMES)
    assert found["spots_per_frame"] == found["phantoms_per_frame"] == 0
    assert found["tracks"] == 0
    unknown = [found[name] for name in ("median_track_frames", "flicker", "fade_rate")]
    assert np.isnan(unknown).all()
