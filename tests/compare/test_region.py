"""Scores of a part of a comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lowdose.compare import best
from napari_lowdose.compare.region import (
    Region,
    RegionJudge,
    comparison_behind,
)
from napari_lowdose.compare.result import Result
from napari_lowdose.compare.table import with_differences
from napari_lowdose.metrics import scores_of
from napari_lowdose.stack import Stack


def part_of(shape, **box):
    return Region.within(shape, **{"frame": None, **box})


@pytest.fixture
def all_of_it(pair):
    noisy, _ = pair
    _, rows, columns = noisy.shape
    return part_of(noisy.shape, rows=(-0.5, rows), columns=(-0.5, columns))


def by_name(results):
    return {result.name: result for result in results}


def test_a_region_of_everything_scores_as_the_whole(pair, results, all_of_it):
    noisy, truth = pair
    judged = with_differences([*RegionJudge(noisy, truth).judged(results, all_of_it)])
    assert [one.name for one in judged] == [r.name for r in results]
    found = by_name(judged)["wiener"]
    estimate = np.asarray(found.stack.data)
    whole = scores_of(estimate, noisy=noisy.data, truth=truth.data)
    shared = set(found.scores) & set(whole)
    assert {"mse", "psnr", "ssim", "slope", "residual_chi2", "css_plain"} <= shared
    for name in shared:
        # the same sums of the same voxels
        assert found.scores[name] == pytest.approx(whole[name].value), name
    assert best(judged, "gain_db") == best(judged, "mse") != "noisy"


def test_only_what_is_in_the_region_counts(pair):
    noisy, truth = pair
    spoilt = np.array(truth.data, np.float32)
    spoilt[2, 10:20, 5:25] += 3.0
    result = Result("spoilt", replace(truth, data=spoilt), {}, 0.0, {})
    judge = RegionJudge(noisy, truth)

    def mse(**box):
        region = part_of(noisy.shape, **box)
        (found,) = judge.judged([result], region)
        return found.scores["mse"]

    inside = {"rows": (9.5, 19.5), "columns": (4.5, 24.5)}
    assert mse(frame=2, **inside) == pytest.approx(9.0)
    assert mse(frame=3, **inside) == 0
    assert mse(frame=None, **inside) == pytest.approx(9.0 / len(truth.data))
    assert mse(frame=2, rows=(19.5, 30), columns=(4.5, 24.5)) == 0


def test_a_flat_part_of_the_truth_is_judged_by_the_range_of_the_whole(pair):
    noisy, truth = pair
    flat = np.array(truth.data, np.float32)
    flat[:, :16, :16] = 1.0
    truth = replace(truth, data=flat)
    off = Result("off", replace(truth, data=flat + np.float32(0.1)), {}, 0.0, {})
    region = part_of(noisy.shape, frame=0, rows=(0, 15), columns=(0, 15))
    (found,) = RegionJudge(noisy, truth).judged([off], region)
    span = float(flat.max() - flat.min())
    # float32 of 1.1 is off by 2e-8
    assert found.scores["psnr"] == pytest.approx(20 * np.log10(span / 0.1), abs=1e-4)
    assert "slope" not in found.scores


def test_without_truth_the_residual_is_left_and_the_noisy_stack_has_none(pair, results):
    noisy, _ = pair
    region = part_of(noisy.shape, frame=1, rows=(0, 20), columns=(0, 20))
    judged = by_name(RegionJudge(noisy).judged(results, region))
    assert not judged["noisy"].scores
    assert {"residual_mean", "residual_chi2"} <= set(judged["gaussian"].scores)
    assert not {"psnr", "css_plain", "residual_next"} & set(judged["gaussian"].scores)


def test_failed_methods_have_no_scores_of_a_region(pair, results):
    noisy, truth = pair
    failed = Result("broken", None, {}, float("nan"), {}, error="it broke")
    region = part_of(noisy.shape, frame=0, rows=(0, 20), columns=(0, 20))
    judged = RegionJudge(noisy, truth).judged([failed, *results], region)
    assert "broken" not in by_name(judged)


def test_a_box_is_snapped_to_whole_pixels_and_cut_to_the_movie():
    box = {"rows": (30.2, -7.0), "columns": (3.6, 11.4)}
    region = Region.within((5, 20, 40), frame=2, **box)
    assert (region.rows, region.columns) == ((0, 20), (4, 12))
    assert region.words == "20 × 8 px, frame 2"
    assert Region.within((5, 20, 40), frame=None, **box).words == "20 × 8 px, 5 frames"
    stack = Stack(np.arange(4000).reshape(5, 20, 40))
    cut = region.of(stack.data)
    np.testing.assert_array_equal(cut, stack.data[2:3, :20, 4:12])
    assert not np.shares_memory(cut, stack.data)


def test_too_small_a_region_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"at least 4 × 4 pixels.*got 20 × 2"):
        Region.within((5, 20, 40), frame=0, rows=(-1, 30), columns=(7.5, 9.5))


def test_recipes_tell_what_was_compared(results):
    asked = comparison_behind(results)
    assert asked.baselines == ("gaussian", "wiener")
    assert asked.models == ("smooth.lowdose",)
