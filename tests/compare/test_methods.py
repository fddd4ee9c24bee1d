"""Which methods are compared, how they are called, and what none of them may do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lowdose.compare import (
    Kind,
    OwnResult,
    Untouched,
    compare,
    file_stems,
    methods_of,
)
from napari_lowdose.compare.methods import distinct
from napari_lowdose.config import Comparison, Denoising, Plane
from napari_lowdose.io import write_stack
from napari_lowdose.stack import Stack

BLIND = Comparison(baselines=())


def names_of(comparison, open_model=None, **more):
    return [method.name for method in methods_of(comparison, open_model, **more)]


def test_names_are_unique_whatever_files_are_called(open_model):
    comparison = Comparison(
        baselines=("gaussian", "gaussian"),
        models=("accurate", "a/mine.lowdose", "b/mine.lowdose", "a/mine.lowdose"),
        estimates=("mine.tif", "old/gaussian.tif", "accurate xy.tif", "noisy.tif"),
    )
    stacks = [Stack(np.zeros((2, 2, 2)), "layer")] * 2
    names = names_of(comparison, open_model, estimates=stacks)
    assert names[:4] == ["gaussian", "accurate", "mine (a)", "mine (b)"]
    assert "gaussian (old)" in names
    assert {"layer", "layer 2"} <= {*names}
    planes = [f"{name} {plane}" for name in names for plane in Plane]
    everything = ["noisy", "truth", *names, *planes]
    # A plane of a result made elsewhere does not exist, but is kept free all the same.
    assert len(names) == len({*names}) == 10
    assert not {*names} & {"noisy", "truth", *planes}
    assert len(everything) == len({*everything})


def test_names_stay_apart_when_nothing_tells_them_apart():
    assert distinct([("a", "x"), ("a", "x"), ("a", "")], ["a"]) == [
        "a (x)",
        "a (x) 2",
        "a 2",
    ]


def test_files_of_results_are_as_many_as_the_results():
    names = ["A", "a", "a b", "a-b", "a/b", "truth", "..", "µ (x)"]
    stems = file_stems(names)
    assert len({stem.lower() for stem in [*stems, "truth"]}) == len(names) + 1
    assert not any(set(stem) & set('/\\:*?"<>| ') for stem in stems)


def test_models_need_something_that_opens_them():
    with pytest.raises(ValueError, match="expected open_model"):
        methods_of(Comparison(models=("accurate",)))


def test_a_model_that_is_missing_or_too_large_says_so_before_it_runs(
    smoothing, pair, tmp_path
):
    noisy, _ = pair
    assert smoothing.why_not(noisy) == ""
    missing = replace(smoothing, path=str(tmp_path / "gone.lowdose"))
    assert "there is no model file" in missing.why_not(noisy)
    (*_, failed) = compare(noisy, comparison=BLIND, methods=[missing])
    assert failed.error == missing.why_not(noisy)
    # a view of one value: 4 TB of float32, that no test may ask for
    huge = Stack(np.broadcast_to(np.float32(1), (1000, 30_000, 30_000)), "huge")
    assert "GB of memory" in smoothing.why_not(huge)
    assert "\n" not in smoothing.why_not(huge)
    (baseline,) = methods_of(Comparison(baselines=("gaussian",)))
    assert baseline.why_not(noisy) == ""
    assert "GB of free memory" in baseline.why_not(huge)


def test_one_plane_needs_no_fusion_and_planes_are_shown_only_if_asked(pair, smoothing):
    noisy, truth = pair
    one = Comparison(denoising=Denoising(planes=(Plane.XY,)))
    fused = Comparison(each_plane=False)
    for comparison in (one, fused):
        steps = compare(noisy, truth=truth, comparison=comparison, methods=[smoothing])
        assert [result.name for result in steps] == ["noisy", "smooth"]


def test_a_model_sees_the_thinned_movie_as_a_stack_of_its_own(pair, smoothing):
    noisy, _ = pair
    opened = []

    def watched(path, stack, denoising):
        opened.append(stack)
        return smoothing.open(path, stack, denoising)

    found = list(compare(noisy, methods=[replace(smoothing, open=watched)]))
    whole, thinned = (stack.read() for stack in opened)
    np.testing.assert_array_equal(whole, noisy.read())
    # 0.8 of the electrons at the brightness of all, of which there are 37,000
    assert thinned.mean() == pytest.approx(whole.mean(), rel=0.02)
    # Poisson noise of 0.8 of the electrons, scaled by 1 / 0.8, has 1.25 of the variance
    noise = [np.diff(s, axis=0).var() / 2 / s.mean() for s in (whole, thinned)]
    assert noise[1] / noise[0] == pytest.approx(1.25, rel=0.05)
    assert found[-1].notes == ("it only smooths",)
    assert {r.kind for r in found[1:]} == {Kind.MODEL}


def test_own_results_are_scored_by_truth_and_never_by_held_out_counts(pair, tmp_path):
    noisy, truth = pair
    path = write_stack(truth, tmp_path / "theirs.tif")
    asked = Comparison(baselines=(), estimates=(str(path),))
    plain, theirs = compare(noisy, truth=truth, comparison=asked)
    assert theirs.name == "theirs"
    assert theirs.kind is Kind.FILE
    assert theirs.scores["mse"] < 1e-12 < plain.scores["mse"]
    assert theirs.stack.scale == noisy.scale
    assert np.isnan(theirs.seconds)
    step = theirs.stack.recipe[-1]
    assert step["file"] == "theirs.tif"
    assert len(step["sha256"]) == 64
    plain, theirs = compare(noisy, comparison=asked)
    assert "thinned_mse" in plain.scores
    assert "thinned_mse" not in theirs.scores
    assert "none can be held out" in theirs.notes[0]


def test_own_results_of_another_shape_are_refused_in_one_sentence(pair, tmp_path):
    noisy, truth = pair
    short = truth.with_data(truth.read()[:3], "short")
    path = write_stack(short, tmp_path / "short.tif")
    asked = Comparison(baselines=(), estimates=(str(path), str(tmp_path / "no.tif")))
    _, wrong, missing = compare(noisy, truth=truth, comparison=asked)
    assert wrong.error == (
        "expected a result of the noisy stack's shape (16, 48, 48), got (3, 48, 48) "
        "in 'short'; choose one of the same frames"
    )
    assert "no.tif" in missing.error
    assert OwnResult("layer", truth).why_not(noisy) == ""
    assert Untouched().why_not(noisy) == ""
