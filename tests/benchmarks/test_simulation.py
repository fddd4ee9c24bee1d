import cv2

from napari_lowdose.benchmarks import BENCHMARKS
from napari_lowdose.cli import build_parser
from napari_lowdose.cli.benchmark import _line
from napari_lowdose.specimens import SPECIMENS


def test_every_specimen_is_timed_without_and_with_noise():
    threads = cv2.getNumThreads()
    rows = list(BENCHMARKS["simulation"](n_rounds=1, frames=3, size=16))
    names = [name for kind in SPECIMENS for name in (kind, f"{kind}, noisy")]
    assert [row["what"] for row in rows] == names
    assert all(row["rate"] > 0 for row in rows)
    assert {row["unit"] for row in rows} == {"voxels/s"}
    # others get their threads back
    assert cv2.getNumThreads() == threads


def test_a_row_is_a_line_with_its_shares():
    row = {"what": "xy", "rate": 1.5e6, "unit": "voxels/s"}
    assert _line(row).split() == ["xy", "1.5e+06", "voxels/s"]
    assert _line({**row, "share of peak": 0.25}).endswith("25.0% of peak\n")


def test_the_command_line_offers_and_explains_every_benchmark():
    for name in BENCHMARKS:
        assert build_parser().parse_args(["benchmark", name]).name == name
    (benchmark,) = [
        action.choices["benchmark"]
        for action in build_parser()._actions
        if isinstance(action.choices, dict)
    ]
    help_text = " ".join(benchmark.format_help().split())
    for one in BENCHMARKS.values():
        assert one.story in help_text
