from napari_lowdose.benchmarks import BENCHMARKS
from napari_lowdose.benchmarks.speed import _flop_per_pixel
from napari_lowdose.networks import UNet


def test_arithmetic_per_pixel_is_the_known_one():
    """183,616 multiplications per output pixel at base 32, depth 4."""
    assert _flop_per_pixel(UNet(depth=4, width=32)) == 2 * 183_616


def test_the_speed_of_everything_is_measured():
    rows = {row["what"]: row for row in BENCHMARKS["speed"](n_rounds=1)}
    assert set(rows) == {"matrix product", "xy", "xt", "yt", "fused", "training"}
    assert all(row["rate"] > 0 for row in rows.values())
