"""What may be compared on a stack, told before anything runs."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lowdose.classical import BASELINES
from napari_lowdose.compare import Kind, methods_of
from napari_lowdose.compare.offers import (
    baseline_offers,
    comparison_of,
    methods_for,
    model_offers,
    obstacle_of,
    ordered,
    own_offer,
)
from napari_lowdose.config import Comparison
from napari_lowdose.shipped import BASE_MODELS, DEFAULT
from napari_lowdose.stack import Stack


def stack(*shape, dtype=np.uint16, name="movie"):
    return Stack(np.zeros(shape, dtype), name)


def by_source(offers):
    return {offer.source: offer for offer in offers}


def test_all_baselines_and_models_are_offered_and_few_are_usual():
    offers = [*baseline_offers(), *model_offers([])]
    sources = {offer.source for offer in offers}
    assert {*BASELINES, "bm4d", *BASE_MODELS} == sources
    usual = {offer.source for offer in offers if offer.usual}
    assert usual == {*Comparison().baselines, DEFAULT}
    assert all(offer.summary.endswith(".") for offer in offers)


def test_a_base_model_is_offered_once_whatever_file_was_used_lately(tmp_path):
    own = tmp_path / "mine.lowdose"
    used = [BASE_MODELS[DEFAULT].path, own, own]
    names = [offer.name for offer in model_offers(used)]
    assert names == [*BASE_MODELS, "mine"]


@pytest.mark.parametrize("n_frames", [1, 2, 4, 64])
def test_an_obstacle_is_told_exactly_where_a_method_would_refuse(n_frames):
    noisy = stack(n_frames, 16, 16)
    for offer in baseline_offers():
        if offer.missing:
            continue
        (method,) = methods_of(Comparison(baselines=(offer.source,)))
        obstacle = obstacle_of(offer, noisy)
        assert (obstacle.sentence if obstacle else "") == method.why_not(noisy)
        too_few = n_frames < BASELINES[offer.source].least_frames
        assert bool(obstacle) == too_few
        if obstacle:
            least = BASELINES[offer.source].least_frames
            assert obstacle.words == f"needs {least} frames"


def test_what_is_not_installed_says_so():
    offers = by_source(baseline_offers())
    if "bm4d" in BASELINES:
        pytest.skip("bm4d is installed here")
    obstacle = obstacle_of(offers["bm4d"], stack(16, 16, 16))
    assert obstacle.words == "not installed"
    assert "pip install bm4d" in obstacle.sentence


def test_obstacles_of_models_layers_and_memory(tmp_path):
    noisy = stack(8, 16, 16)
    gone = model_offers([tmp_path / "gone.lowdose"])[-1]
    assert obstacle_of(gone, noisy).words == "file is gone"
    other = obstacle_of(own_offer(stack(8, 16, 17), "1"), noisy)
    assert other.words == "other shape"
    assert "(8, 16, 17)" in other.sentence
    assert obstacle_of(own_offer(stack(8, 16, 16), "2"), noisy) is None
    # a stack that no machine holds; the array takes no memory
    vast = Stack(np.broadcast_to(np.uint16(0), (10_000, 100_000, 100_000)))
    for offer in (by_source(baseline_offers())["gaussian"], model_offers([])[0]):
        assert obstacle_of(offer, vast).words == "too large"
        assert "GB" in obstacle_of(offer, vast).sentence


def test_names_of_what_is_chosen_are_those_of_the_comparison(tmp_path, open_model):
    files = [tmp_path / day / "mine.lowdose" for day in ("monday", "friday")]
    layers = [stack(8, 16, 16, name=name) for name in ("mine", "gaussian", "noisy")]
    offers = [own_offer(one, str(n)) for n, one in enumerate(layers)]
    offers += [*model_offers(files)[-2:], by_source(baseline_offers())["gaussian"]]
    chosen = ordered(offers)
    names = [method.name for method in methods_for(chosen, Comparison())]
    asked = comparison_of(chosen, Comparison(seed=3))
    assert asked.seed == 3
    there = methods_of(asked, open_model, estimates=layers)
    assert names == [method.name for method in there]
    assert [offer.kind for offer in chosen] == [method.kind for method in there]
    assert names[:3] == ["gaussian", "mine (monday)", "mine (friday)"]
    assert {Kind.BASELINE, Kind.MODEL, Kind.FILE} == {method.kind for method in there}
