"""Many methods on one stack: the order, the judge, the table and the picture."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import ndimage

from napari_lowdose.classical import BASELINES
from napari_lowdose.compare import (
    SCORES,
    Result,
    compare,
    side_by_side,
    table,
    write_results,
    write_side_by_side,
    write_table,
)
from napari_lowdose.compare.montage import Panel, ScaleBar, draw
from napari_lowdose.config import Comparison, Plane
from napari_lowdose.denoiser import Denoised
from napari_lowdose.errors import UnwritableFile
from napari_lowdose.fusion import disagreement, fuse
from napari_lowdose.io import read_stack
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.stack import Stack

QUICK = Comparison(baselines=("gaussian",))


class Smoothing:
    """A linear denoiser: a Gaussian in the two directions of each plane."""

    def __init__(self, *planes):
        self.planes = planes or tuple(Plane)

    def denoised(self, stack):
        widths = {p: [0 if i == p.axis else 1.5 for i in range(3)] for p in self.planes}
        counts = stack.astype(np.float32)
        seen = {p: ndimage.gaussian_filter(counts, w) for p, w in widths.items()}
        return Denoised(fuse(seen), seen, disagreement(seen))


@pytest.fixture(scope="module")
def movie():
    settings = Catalyst(frames=16, size=48, n_particles=4)
    clean = SPECIMENS["catalyst"].render(settings).stack
    return add_noise(clean, Noise(dose=1.0))


@pytest.fixture(scope="module")
def results(movie):
    noisy, truth = movie
    return list(compare(noisy, truth=truth, denoiser=Smoothing()))


def test_methods_come_in_order_as_they_finish(movie):
    noisy, truth = movie
    steps = compare(noisy, truth=truth, denoiser=Smoothing())
    assert next(steps).name == "noisy"
    rest = [*BASELINES, "xy", "xt", "yt", "fused"]
    assert [result.name for result in steps] == rest


def test_results_lie_where_the_input_lies_and_know_how_they_were_made(movie, results):
    noisy, _ = movie
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


def test_with_truth_every_method_is_scored_by_it(results):
    for result in results:
        assert set(result.scores) == {"mse", "psnr", "ssim", "css", "css_plain"}
    fused, noisy = results[-1].scores, results[0].scores
    assert fused["psnr"] > noisy["psnr"] + 10


def test_without_truth_held_out_counts_rank_the_methods_alike(movie, results):
    blind = list(compare(movie[0], denoiser=Smoothing()))
    assert all("psnr" not in result.scores for result in blind)
    by_truth = sorted(results, key=lambda r: r.scores["mse"])
    by_counts = sorted(blind, key=lambda r: r.scores["thinned_mse"])
    assert by_counts[0].name == by_truth[0].name == "wiener"
    assert by_counts[-1].name == by_truth[-1].name == "noisy"
    # xt and yt, and the two smoothers, are nearly alike: the order of all is not asked


def test_thinned_errors_are_in_counts_squared(movie):
    noisy, _ = movie
    scaled = noisy.with_data(noisy.read() * 4 + 100, "scaled")
    plain = next(compare(noisy, comparison=QUICK)).scores["thinned_mse"]
    how = Comparison(baselines=(), gain=4.0, offset=100.0)
    assert next(compare(scaled, comparison=how)).scores["thinned_mse"] == pytest.approx(
        16 * plain, rel=1e-4
    )


def test_stacks_that_are_no_counts_are_scored_by_likeness_with_a_warning(movie):
    noisy, _ = movie
    halved = noisy.with_data(noisy.read() / 2, "halved")
    with pytest.warns(UserWarning, match="does not look like Poisson counts"):
        found = list(compare(halved, comparison=QUICK))
    assert [set(r.scores) for r in found] == [{"css", "css_plain"}] * 2


def test_one_plane_needs_no_fusion(movie):
    noisy, truth = movie
    steps = compare(noisy, truth=truth, comparison=QUICK, denoiser=Smoothing(Plane.XY))
    assert [result.name for result in steps] == ["noisy", "gaussian", "xy"]


def test_a_baseline_that_fails_says_why_and_the_others_go_on(tmp_path):
    rng = np.random.default_rng(0)
    narrow = Stack(rng.normal(5, 1, (8, 3, 40)).astype(np.float32), "narrow")
    with pytest.warns(UserWarning, match="does not look like Poisson counts"):
        found = list(compare(narrow, denoiser=Smoothing()))
    assert len(found) == 5 + len(BASELINES)
    failed = [result for result in found if result.error]
    assert [r.name for r in failed] == [*BASELINES]
    assert all("give the truth" in r.error for r in failed)
    assert all(r.stack is None for r in failed)
    rows = table(found)
    assert list(rows["error"].astype(bool)) == [bool(r.error) for r in found]
    write_results(found, tmp_path / "out")
    assert not (tmp_path / "out" / "gaussian.tif").exists()
    assert (tmp_path / "out" / "fused.tif").exists()


def test_bad_questions_are_refused_before_anything_runs(movie):
    noisy, truth = movie
    with pytest.raises(ValueError, match="wiener, got 'magic'"):
        compare(noisy, comparison=Comparison(baselines=("magic",)))
    short = truth.with_data(truth.read()[:3], "short")
    with pytest.raises(ValueError, match=r"\(16, 48, 48\), got \(3, 48, 48\)"):
        compare(noisy, truth=short)


def test_the_table_has_a_row_per_method_and_the_gain(results):
    rows = table(results)
    assert list(rows.columns) == [
        "method",
        *("mse", "psnr", "ssim", "css", "css_plain", "gain_db", "seconds", "settings"),
    ]
    assert list(rows["method"]) == [result.name for result in results]
    assert rows["gain_db"][0] == 0
    assert rows["gain_db"].iloc[-1] == pytest.approx(
        results[-1].scores["psnr"] - results[0].scores["psnr"]
    )
    assert rows["settings"][1].startswith("sigma_px=")
    assert set(rows.columns[1:7]) <= set(SCORES)


def test_the_table_survives_the_file(results, tmp_path):
    path = write_table(results, tmp_path / "table.csv")
    read = pd.read_csv(path, keep_default_na=False)
    pd.testing.assert_frame_equal(read, table(results))


def test_a_folder_gets_stacks_table_and_picture(movie, results, tmp_path):
    _, truth = movie
    folder = write_results(results, tmp_path / "new" / "out", truth=truth)
    names = {path.name for path in folder.iterdir()}
    stacks = {f"{result.name}.tif" for result in results}
    assert names == stacks | {"truth.tif", "table.csv", "side-by-side.png"}
    fused = read_stack(folder / "fused.tif")
    np.testing.assert_array_equal(fused.read(), results[-1].stack.data)
    assert fused.recipe == results[-1].stack.recipe


def test_a_folder_that_cannot_be_made_is_told(results, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnwritableFile, match="cannot make the folder"):
        write_results(results, tmp_path / "file" / "out")


def test_the_picture_shows_every_method_and_the_truth(movie, results, tmp_path):
    _, truth = movie
    picture = side_by_side(results, frame=7, truth=truth)
    path = write_side_by_side(picture, tmp_path / "picture.png")
    with Image.open(path) as read:
        assert read.size == picture.size
        assert read.format == "PNG"
    # nine panels in rows of three, each 48 px magnified six times
    assert picture.width > 3 * 288
    assert picture.height > 3 * 288


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
