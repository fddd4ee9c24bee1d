from napari_lowdose.base_models import BASE_MODELS
from napari_lowdose.benchmarks import BENCHMARKS
from napari_lowdose.benchmarks.speed import _flop_per_pixel
from napari_lowdose.networks import UNet


def test_arithmetic_per_pixel_is_the_known_one():
    """183,616 multiplications per output pixel at base 32, depth 4."""
    assert _flop_per_pixel(UNet(depth=4, width=32)) == 2 * 183_616


def test_the_speed_of_everything_is_measured():
    measured = BENCHMARKS["speed"](n_rounds=1, base_stack=(8, 32, 32))
    rows = {row["what"]: row for row in measured}
    own = {"matrix product", "xy", "xt", "yt", "fused", "training"}
    assert set(rows) == own | {f"{name}, end to end" for name in BASE_MODELS}
    assert all(row["rate"] > 0 for row in rows.values())
