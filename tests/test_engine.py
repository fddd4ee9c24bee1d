"""The engine, as a viewer sees it: a process that speaks JSON lines."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_lowdose.config import Comparison, Network, Training
from napari_lowdose.jobs import Job, StackFile, Task
from napari_lowdose.stack import Stack

SMALL = Training(
    epochs=2, steps_per_epoch=2, batch=4, patch_px=16, network=Network(depth=2, width=4)
)
LONG = SMALL.model_copy(update={"epochs": 1000, "steps_per_epoch": 20})


@pytest.fixture
def job(movie, tmp_path):
    """A small training job; its files stay in the test's folder."""
    noisy, truth = movie()
    return Job(
        task="train",
        folder=str(tmp_path),
        noisy=(StackFile.save(noisy, tmp_path, "noisy"),),
        truth=(StackFile.save(truth, tmp_path, "truth"),),
        model=str(tmp_path / "model.lowdose"),
        training=SMALL,
    )


class Child:
    """A running engine; its events with the time since its start."""

    def __init__(self, job: Job, folder) -> None:
        path = folder / "job.json"
        path.write_text(job.model_dump_json())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "napari_lowdose.engine", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events = []

    def say(self, command: str) -> None:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def until(self, *kinds: str) -> dict:
        """Read on to the next event of some kind."""
        for line in self.process.stdout:
            event = {**json.loads(line), "time": time.monotonic()}
            self.events.append(event)
            if event["event"] in kinds:
                return event
        pytest.fail(f"ended before {kinds}: {self.process.stderr.read()}")

    def end(self) -> int:
        """Read all that is left; give the exit code."""
        for line in self.process.stdout:
            self.events.append({**json.loads(line), "time": time.monotonic()})
        code = self.process.wait(timeout=20)
        self.errors = self.process.stderr.read()
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def of(self, kind: str) -> list[dict]:
        return [event for event in self.events if event["event"] == kind]


@pytest.fixture
def start(tmp_path):
    children = []

    def begin(job: Job) -> Child:
        children.append(Child(job, tmp_path))
        return children[-1]

    yield begin
    for child in children:
        child.close()


def test_train_denoise_and_compare_one_after_the_other(job, start):
    child = start(job)
    assert child.end() == 0, child.errors
    assert child.events[0]["event"] == "hello"
    (ready,) = child.of("ready")
    assert ready["device"] in {"cpu", "cuda", "mps"}
    assert [epoch["index"] for epoch in child.of("epoch")] == [0, 1]
    assert set(child.of("epoch")[0]["valid_loss"]) == {"xy", "xt", "yt"}
    last = child.of("progress")[-1]
    assert last["done"] == last["total"] == 12
    assert child.of("model")[0]["path"] == job.model
    assert child.events[-1]["event"] == "done"
    assert child.events[-1]["stopped"] is False

    update = {"task": Task.DENOISE, "each_plane": True}
    child = start(job.model_copy(update=update))
    assert child.end() == 0, child.errors
    assert [result["name"] for result in child.of("result")] == [
        "xy",
        "xt",
        "yt",
        "fused",
    ]
    shape = job.noisy[0].open().shape
    fused = np.load(child.of("result")[-1]["path"])
    assert fused.shape == shape
    assert child.of("result")[-1]["step"]["model"] == "model.lowdose"

    update = {"task": Task.COMPARE, "comparison": Comparison(baselines=("gaussian",))}
    child = start(job.model_copy(update=update))
    assert child.end() == 0, child.errors
    names = [result["name"] for result in child.of("result")]
    assert names == ["noisy", "gaussian", "xy", "xt", "yt", "fused"]
    assert "psnr" in child.of("result")[-1]["scores"]
    np.testing.assert_array_equal(np.load(child.of("result")[-1]["path"]), fused)


def test_stop_keeps_the_best_weights(job, start, noisy):
    from napari_lowdose.training import load_denoiser

    child = start(job.model_copy(update={"training": LONG}))
    child.until("epoch")
    child.say("stop")
    asked = time.monotonic()
    assert child.end() == 0, child.errors
    # one step of these small networks lasts milliseconds, one epoch most of a second
    assert time.monotonic() - asked < 5
    assert child.events[-1]["stopped"] is True
    denoiser, _ = load_denoiser(job.model, noisy)
    assert denoiser(noisy).shape == noisy.shape


def test_heartbeat_goes_on_while_paused_and_no_step_is_made(job, start):
    child = start(job.model_copy(update={"training": LONG}))
    child.until("progress")
    child.say("pause")
    pause_end = time.monotonic() + 1.5
    while time.monotonic() < pause_end:
        child.until("heartbeat", "progress", "epoch", "preview")
    late = [e["event"] for e in child.events if e["time"] > pause_end - 1]
    # at least ten a second are promised; a busy machine may delay some
    assert late.count("heartbeat") >= 7
    assert "progress" not in late
    child.say("resume")
    child.until("progress")


def test_preview_shows_the_frame_that_is_looked_at(job, start):
    child = start(job.model_copy(update={"training": LONG}))
    child.say("frame 5")
    preview = child.until("preview")
    assert preview["frame"] == 5
    assert np.load(preview["path"]).shape == job.noisy[0].open().shape[1:]


def test_the_end_of_the_parent_ends_the_engine(job, start):
    child = start(job.model_copy(update={"training": LONG}))
    child.until("progress")
    child.process.stdin.close()
    assert child.process.wait(timeout=5) == 3


def test_a_resumed_job_goes_on_where_it_was(job, start):
    assert start(job).end() == 0
    longer = SMALL.model_copy(update={"epochs": 3})
    child = start(job.model_copy(update={"resume": True, "training": longer}))
    assert child.end() == 0, child.errors
    assert [epoch["index"] for epoch in child.of("epoch")] == [2]


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"task": Task.DENOISE, "model": "nowhere.lowdose"}, "no model file"),
        ({"truth": ()}, "needs the truth"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(job, start, update, said):
    supervised = SMALL.model_copy(update={"objective": "supervised"})
    child = start(job.model_copy(update={"training": supervised, **update}))
    assert child.end() == 2
    (error,) = child.of("error")
    assert said in error["text"]
    assert "\n" not in error["text"]


def test_few_frames_are_said_and_frames_alone_are_used(job, start, tmp_path, noisy):
    assert start(job).end() == 0
    short = StackFile.save(Stack(noisy[:2]), tmp_path, "short")
    child = start(job.model_copy(update={"task": Task.DENOISE, "noisy": (short,)}))
    assert child.end() == 0, child.errors
    assert "too few frames" in child.of("warning")[0]["text"]
    assert [result["name"] for result in child.of("result")] == ["denoised"]


def test_stack_files_keep_what_is_known(tmp_path, movie):
    noisy, _ = movie()
    file = StackFile.save(noisy, tmp_path, "a")
    again = StackFile.model_validate_json(file.model_dump_json()).open()
    assert (again.name, again.scale, again.units) == (
        noisy.name,
        noisy.scale,
        noisy.units,
    )
    np.testing.assert_array_equal(again.data, noisy.data)


def test_a_place_that_cannot_be_written_to_is_told_before_training(job, start):
    nowhere = f"{job.folder}/missing/model.lowdose"
    child = start(job.model_copy(update={"model": nowhere, "training": LONG}))
    assert child.end() == 2
    assert "missing" in child.of("error")[0]["text"]
    assert not child.of("progress")
