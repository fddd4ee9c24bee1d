from __future__ import annotations

import pytest

from napari_lowdose.compare.scale import Scale


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("values", [(1e-9, 3e-9), (2.0, 750.0), (5.0, 5.0), (1e8, 3e9)])
def test_a_scale_holds_its_values_and_its_ticks(values, log):
    scale = Scale.around(values, log=log)
    places = [scale.place(value) for value in (*values, *scale.ticks)]
    # ticks are rounded products of floats
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert 2 <= len(scale.ticks) <= 6


def test_ticks_are_round_numbers():
    assert Scale(0, 1).ticks == pytest.approx((0, 0.2, 0.4, 0.6, 0.8, 1.0))
    assert Scale(97, 148).ticks == pytest.approx((100, 120, 140))
    assert Scale(-3, 9).ticks == pytest.approx((0, 5))


def test_a_log_scale_shows_zero_at_its_low_end():
    scale = Scale.around((0.0, 1.0), log=True)
    assert scale.place(0.0) == 0
    assert scale.place(1.0) == 1


def test_a_wider_scale_leaves_room_at_both_ends():
    scale = Scale(0, 10).wider(0.1)
    assert (scale.low, scale.high) == (-1, 11)
