"""Many methods on one stack: the order, the judge, the table and the picture."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_lowdose.compare import (
    SCORES,
    Result,
    best,
    compare,
    methods_of,
    side_by_side,
    table,
    write_results,
    write_side_by_side,
    write_table,
)
from napari_lowdose.compare.cost import measured
from napari_lowdose.compare.montage import Panel, ScaleBar, draw
from napari_lowdose.compare.table import with_differences
from napari_lowdose.config import Comparison, Plane
from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io import read_stack
from napari_lowdose.stack import Stack

FEW = Comparison(baselines=("gaussian", "wiener"))
QUICK = Comparison(baselines=("gaussian",))
PICTURES = ("side-by-side.png", "report.html")


def test_methods_come_in_order_as_they_finish(pair, smoothing):
    noisy, truth = pair
    methods = [*methods_of(QUICK), smoothing]
    steps = compare(noisy, truth=truth, methods=methods)
    assert next(steps).name == "noisy"
    planes = [f"smooth {plane}" for plane in Plane]
    assert [result.name for result in steps] == ["gaussian", *planes, "smooth"]


def test_results_lie_where_the_input_lies_and_know_how_they_were_made(pair, results):
    noisy, _ = pair
    assert results[0].stack is noisy
    for result in results[1:]:
        assert result.stack.scale == noisy.scale
        assert result.stack.units == noisy.units
        assert result.stack.shape == noisy.shape
        assert result.stack.recipe[:-1] == noisy.recipe
        assert result.stack.recipe[-1]["step"] == "denoise"
    gaussian = results[1].stack.recipe[-1]
    assert gaussian["settings"] == results[1].settings
    assert "truth" in gaussian["tuned by"]


def test_with_truth_every_method_is_scored_by_it_with_a_standard_error(results):
    for result in results:
        assert {"mse", "psnr", "ssim", "slope", "css", "css_plain"} <= set(
            result.scores
        )
        assert "thinned_mse" not in result.scores
        assert set(result.scores) <= set(SCORES)
        assert result.std_errors["mse"] > 0
    fused, noisy = results[-1].scores, results[0].scores
    assert fused["psnr"] > noisy["psnr"] + 10


def test_without_truth_held_out_counts_rank_the_methods_alike(pair, results, smoothing):
    methods = [*methods_of(FEW), smoothing]
    blind = list(compare(pair[0], methods=methods))
    assert all("psnr" not in result.scores for result in blind)
    for name in ("wiener", "gaussian", "noisy"):
        error = next(r for r in blind if r.name == name)
        known = next(r for r in results if r.name == name).scores["mse"]
        # At 0.8 of the dose, errors are up to 1 / 0.8 larger, and noisy ones just so.
        low, high = known, known / 0.8
        spare = 4 * error.std_errors["thinned_mse"]
        assert low - spare < error.scores["thinned_mse"] < high + spare, name
    assert best(blind, "thinned_mse") == best(results, "mse") == "wiener"
    assert max(blind, key=lambda r: r.scores["thinned_mse"]).name == "noisy"
    shown = {result.name: result for result in with_differences(blind)}
    assert shown["wiener"].scores["thinned_excess"] == 0
    for name in ("gaussian", "noisy"):
        result = shown[name]
        assert result.scores["thinned_excess"] == pytest.approx(
            result.scores["thinned_mse"] - shown["wiener"].scores["thinned_mse"]
        )
    # The noise of the held-out counts is the same for both.
    errors = shown["gaussian"].std_errors
    assert 0 < errors["thinned_excess"] < errors["thinned_mse"]


def test_thinned_errors_are_in_counts_squared(pair):
    noisy, _ = pair
    scaled = noisy.with_data(noisy.read() * 4 + 100, "scaled")
    plain = next(compare(noisy, comparison=QUICK)).scores["thinned_mse"]
    how = Comparison(baselines=(), gain=4.0, offset=100.0)
    assert next(compare(scaled, comparison=how)).scores["thinned_mse"] == pytest.approx(
        16 * plain, rel=1e-4
    )


def test_stacks_that_are_no_counts_are_scored_by_likeness_with_a_warning(pair):
    noisy, _ = pair
    halved = noisy.with_data(noisy.read() / 2, "halved")
    with pytest.warns(UserWarning, match="does not look like Poisson counts"):
        found = list(compare(halved, comparison=QUICK))
    assert all("css" in result.scores for result in found)
    assert not any(set(r.scores) & {"psnr", "mse", "thinned_mse"} for r in found)


def test_what_fails_says_why_and_the_others_go_on(tmp_path, smoothing):
    rng = np.random.default_rng(0)
    narrow = Stack(rng.normal(5, 1, (8, 3, 40)).astype(np.float32), "narrow")
    methods = [*methods_of(QUICK), replace(smoothing, name="m", open=broken), smoothing]
    with pytest.warns(UserWarning, match="does not look like Poisson counts"):
        found = list(compare(narrow, methods=methods))
    names = ["noisy", "gaussian", "m", *(f"smooth {p}" for p in Plane), "smooth"]
    assert [result.name for result in found] == names
    failed = [result for result in found if result.error]
    assert [r.name for r in failed] == ["gaussian", "m"]
    assert "give the truth" in failed[0].error
    assert failed[1].error == "m failed: CUDA out of memory. Tried to allocate 2 GiB"
    assert all(r.stack is None for r in failed)
    rows = table(found)
    assert list(rows["error"].astype(bool)) == [bool(r.error) for r in found]
    write_results(found, tmp_path / "out")
    assert not (tmp_path / "out" / "gaussian.tif").exists()
    assert (tmp_path / "out" / "smooth.tif").exists()


def broken(path, noisy, denoising):
    """Fail as torch does, whose error is a RuntimeError of two lines."""
    raise RuntimeError("CUDA out of memory.\nTried to allocate 2 GiB")


def test_bad_questions_are_refused_before_anything_runs(pair):
    noisy, truth = pair
    with pytest.raises(ValueError, match=r"expected baselines among .* got 'magic'"):
        compare(noisy, comparison=Comparison(baselines=("magic",)))
    short = truth.with_data(truth.read()[:3], "short")
    with pytest.raises(ValueError, match=r"\(16, 48, 48\), got \(3, 48, 48\)"):
        compare(noisy, truth=short)


def test_the_table_has_a_row_per_method_and_the_gain(results):
    rows = table(results)
    cost = ["seconds", "memory_mb", "settings"]
    columns = list(rows.columns)
    assert columns[0] == "method"
    assert columns[-3:] == cost
    assert columns[1:-3] == [name for name in SCORES if name in columns]
    assert list(rows["method"]) == [result.name for result in results]
    assert rows["gain_db"][0] == 0
    assert rows["gain_db"].iloc[-1] == pytest.approx(
        results[-1].scores["psnr"] - results[0].scores["psnr"]
    )
    assert rows["settings"][1].startswith("sigma_px=")
    assert rows["settings"].iloc[-1] == "planes=xy xt yt, fusion=mean"
    assert list(table(results, scores=["psnr"]).columns) == ["method", "psnr", *cost]


def test_time_and_memory_are_those_of_the_work():
    def work():
        held = np.ones(20_000_000, np.uint8)
        time.sleep(0.1)  # longer than between two looks at the memory
        return held.size

    found, cost = measured(work)
    assert found == 20_000_000
    assert 0.1 <= cost.seconds < 2
    # at least the array; other threads of the tests may add to it
    assert np.isnan(cost.memory_mb) or 19 < cost.memory_mb < 60


def test_the_table_survives_the_file(results, tmp_path):
    path = write_table(results, tmp_path / "table.csv")
    read = pd.read_csv(path)
    read["settings"] = read["settings"].fillna("")  # the noisy stack has none
    pd.testing.assert_frame_equal(read, table(results))


def test_a_folder_gets_stacks_table_and_picture(pair, results, tmp_path):
    _, truth = pair
    folder = write_results(results, tmp_path / "new" / "out", truth=truth)
    names = {path.name for path in folder.iterdir()}
    stacks = {f"{result.name.replace(' ', '-')}.tif" for result in results}
    assert names == stacks | {"truth.tif", "table.csv", *PICTURES}
    fused = read_stack(folder / "smooth.tif")
    np.testing.assert_array_equal(fused.read(), results[-1].stack.data)
    assert fused.recipe == results[-1].stack.recipe


def test_a_folder_that_cannot_be_made_is_told(results, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnwritableFile, match="cannot make the folder"):
        write_results(results, tmp_path / "file" / "out")


def test_the_picture_shows_every_method_and_the_truth(pair, results, tmp_path):
    _, truth = pair
    picture = side_by_side(results, frame=7, truth=truth)
    path = write_side_by_side(picture, tmp_path / "picture.png")
    with Image.open(path) as read:
        assert read.size == picture.size
        assert read.format == "PNG"
    # eight panels in rows of four, each 48 px magnified six times
    assert picture.width > 4 * 288
    assert picture.height > 2 * 288


def test_all_panels_have_the_same_contrast(results):
    stacks = [np.full((2, 48, 48), value, np.float32) for value in (0.0, 5.0, 20.0)]
    flat = [
        Result(str(i), Stack(stack, "flat"), {}, 0.0, {})
        for i, stack in enumerate(stacks)
    ]
    picture = side_by_side(flat, frame=99, limits=(0.0, 10.0)).convert("L")
    panel = picture.width // 3
    greys = [picture.getpixel((panel // 2 + i * panel, 200)) for i in range(3)]
    assert greys == [0, 128, 255]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one result"):
        side_by_side([Result("a", None, {}, 0.0, {}, error="no")], frame=0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (700, 20), (600, 1200), (16, 16)])
def test_frames_of_any_shape_can_be_drawn(shape):
    panels = [
        Panel(
            f"method {i}", "a caption that is much too long for a narrow panel", image
        )
        for i, image in enumerate(np.random.default_rng(0).random((5, *shape)))
    ]
    picture = draw(panels, limits=(0, 1), footer="a footer that is long as well " * 4)
    assert max(picture.size) < 4000


@pytest.mark.parametrize(
    ("width", "pixel", "label"),
    [(128, 0.1, "2 nm"), (256, 1.0, "50 nm"), (30, 0.1, "1 nm"), (100, 150, "5000 nm")],
)
def test_a_scale_bar_has_a_round_length_below_a_third(width, pixel, label):
    bar = ScaleBar.fitting(width, pixel, "nm")
    assert bar.label == label
    assert bar.length_px * pixel == pytest.approx(float(label.split()[0]))
    assert bar.length_px <= width / 3 + 1e-9


def test_comparing_needs_no_torch():
    code = "import sys, napari_lowdose.compare; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
