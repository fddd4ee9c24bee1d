"""What the engine says while it compares."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from napari_lowdose.config import Comparison
from napari_lowdose.engine.comparing import compare
from napari_lowdose.engine.link import Link
from napari_lowdose.jobs import Job, StackFile, Task


@pytest.fixture
def told(small_pair, tmp_path, monkeypatch):
    """Compare in this process; give the events."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    noisy, truth = small_pair
    files = {
        name: (StackFile.save(stack, tmp_path, name),)
        for name, stack in (("noisy", noisy), ("truth", truth), ("estimate", truth))
    }

    def events(**settings):
        job = Job(task=Task.COMPARE, folder=str(tmp_path), **{**files, **settings})
        said = tmp_path / "events"
        with open(os.devnull) as commands, said.open("w") as stream:
            compare(job, Link(commands, stream))
        return [json.loads(line) for line in said.read_text().splitlines()]

    return events


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def test_each_result_is_told_with_all_that_is_known_of_it(told, tiny_base, tmp_path):
    missing = str(tmp_path / "gone.lowdose")
    comparison = Comparison(baselines=("gaussian",), models=(missing, str(tiny_base)))
    events = told(model=str(tiny_base), comparison=comparison)
    results = of(events, "result")
    names = ["noisy", "gaussian", *(f"tiny {p}" for p in ("xy", "xt", "yt")), "tiny"]
    # the truth came as an own result, too, under the name of its layer
    assert [result["name"] for result in results][:-1] == names
    assert [r["kind"] for r in results[:3]] == ["noisy", "baseline", "model"]
    assert results[-1]["kind"] == "file"
    assert results[-1]["scores"]["mse"] == 0
    gaussian = results[1]
    assert gaussian["scores"]["psnr"] > results[0]["scores"]["psnr"]
    assert set(gaussian["std_errors"]) == set(gaussian["scores"])
    assert gaussian["settings"] == gaussian["step"]["settings"]
    assert "truth" in gaussian["criterion"]
    assert not gaussian["cached"]
    for result in results:
        assert np.load(result["path"]).shape == (8, 24, 24)
    (failed,) = of(events, "failed")
    assert failed["name"] == "gone"
    assert "there is no model file" in failed["text"]
    progress = of(events, "progress")
    assert "comparing: gaussian" in [event["text"] for event in progress]
    assert progress[-1]["done"] == progress[-1]["total"] == 5


def test_asking_again_is_told_from_the_cache(told):
    comparison = Comparison(baselines=("gaussian",))
    first, again = (of(told(comparison=comparison), "result") for _ in range(2))
    assert [result["cached"] for result in again] == [True] * 3
    assert [r["scores"] for r in again] == [r["scores"] for r in first]
    off = comparison.model_copy(update={"cache": False})
    assert not any(r["cached"] for r in of(told(comparison=off), "result"))
