"""What the engine says while it compares."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_lowdose.config import Comparison
from napari_lowdose.engine.comparing import compare
from napari_lowdose.engine.link import Link
from napari_lowdose.jobs import Job, StackFile, Task

OWN = "catalyst 0 truth"  # what the result made elsewhere is called


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
    first, again = (
        of(told(comparison=comparison, truth=()), "result") for _ in range(2)
    )
    assert [result["cached"] for result in again] == [True] * 3
    assert [r["scores"] for r in again] == [r["scores"] for r in first]
    # By these, methods are compared in pairs; nothing can be held out of a result.
    assert [r["tiles"] for r in again] == [r["tiles"] for r in first]
    assert [len(r["tiles"]) for r in first] == [4, 4, 0]
    off = comparison.model_copy(update={"cache": False})
    assert not any(r["cached"] for r in of(told(comparison=off), "result"))


def test_the_state_of_each_method_is_told_and_how_far_a_model_is(told, tiny_base):
    comparison = Comparison(
        baselines=("gaussian",), models=(str(tiny_base), "gone.lowdose"), cache=False
    )
    states = of(told(comparison=comparison), "method")
    at = [(state["name"], state["state"]) for state in states if "share" not in state]
    names = ("noisy", "gaussian", "tiny", "gone", OWN)
    assert at == [
        (name, state)
        for name in names
        for state in ("running", "failed" if name == "gone" else "done")
    ]
    shares = [state for state in states if "share" in state]
    assert shares
    assert all(0 < s["share"] <= 1 and s["seconds_left"] >= 0 for s in shares)
    assert {state["name"] for state in shares} == {"tiny"}


def test_what_is_left_out_is_not_run_and_changes_no_name(told):
    comparison = Comparison(baselines=("gaussian", "wiener"))
    events = told(comparison=comparison, leave_out=("noisy", "gaussian"))
    names = [result["name"] for result in of(events, "result")]
    assert names == ["wiener", OWN]
    assert {state["name"] for state in of(events, "method")} == {*names}


_PARTS = """
import sys, time
from napari_lowdose.engine.link import Link
link = Link(sys.stdin, sys.stdout)
link.open()
for part in ("first", "second", "third"):
    if link.begin(part):
        link.emit("method", name=part)
        # the parent skips the second meanwhile; the third never ends by itself
        time.sleep(60 if part == "third" else 0.5)
        link.end()
"""


def test_one_that_waits_is_skipped_and_one_at_work_ends_the_process():
    child = subprocess.Popen(
        [sys.executable, "-c", _PARTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child, child.stdin as commands:
        said = [json.loads(child.stdout.readline())]
        commands.write('skip "second"\nskip "unknown"\n')
        commands.flush()
        while said[-1].get("name") != "third":
            said.append(json.loads(child.stdout.readline()))
        assert [event["name"] for event in of(said, "method")] == ["first", "third"]
        commands.write('skip "first"\nskip "third"\n')
        commands.flush()
        asked = time.monotonic()
        last = [json.loads(line) for line in child.stdout][-1]
        assert child.wait(timeout=5) == 0
        assert time.monotonic() - asked < 1
    assert last == {"event": "done", "stopped": False, "skipped": "third"}
