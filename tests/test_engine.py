"""The engine, as a viewer sees it: a process that speaks JSON lines."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_lowdose.config import (
    Comparison,
    FineTuning,
    Network,
    Training,
)
from napari_lowdose.jobs import Job, StackFile, Task
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
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


def written(job, folder):
    path = folder / "a job.json"
    path.write_text(job.model_dump_json())
    return path


class Child:
    """A running engine; its events with the time since its start."""

    def __init__(self, *files) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "napari_lowdose.engine", *map(str, files)],
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

    def begin(job: Job | None = None) -> Child:
        """Start a job, or an engine that waits for one."""
        children.append(Child(*([] if job is None else [written(job, tmp_path)])))
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
    assert child.of("result")[-1]["step"]["model"] == "model"

    update = {"task": Task.COMPARE, "comparison": Comparison(baselines=("gaussian",))}
    child = start(job.model_copy(update=update))
    assert child.end() == 0, child.errors
    names = [result["name"] for result in child.of("result")]
    planes = ["model xy", "model xt", "model yt"]
    assert names == ["noisy", "gaussian", *planes, "model"]
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


def test_an_engine_may_load_all_and_wait_in_silence_for_its_job(job, start, tmp_path):
    child = start()
    child.until("warm")
    assert [event["event"] for event in child.events] == ["hello", "warm"]
    time.sleep(0.3)  # several heartbeats, were there any
    child.say(f"job {json.dumps(str(written(job, tmp_path)))}")
    told = time.monotonic()
    assert child.until("heartbeat", "ready")["time"] > told
    assert child.end() == 0, child.errors
    assert [epoch["index"] for epoch in child.of("epoch")] == [0, 1]


def test_the_end_of_the_parent_ends_an_engine_that_waits(start):
    child = start()
    child.until("warm")
    child.process.stdin.close()
    assert child.process.wait(timeout=5) == 3


def test_a_base_model_shows_the_visible_frame_before_it_denoises_the_stack(
    start, tmp_path
):
    settings = Catalyst(frames=40, size=128, contrast=8)
    noise = Noise(dose=5.0)
    large = add_noise(SPECIMENS["catalyst"].render(settings).stack, noise)[0].read()
    child = start(
        Job(
            task=Task.DENOISE,
            folder=str(tmp_path),
            noisy=(StackFile.save(Stack(large, name="large"), tmp_path, "noisy"),),
            model="fast",  # that of the first glance, too
            disagreement=True,
            frame=20,
        )
    )
    preview = child.until("preview")
    assert preview["frame"] == 20
    assert not child.of("result")
    seen = np.load(preview["path"])
    child.say("frame 2")
    assert child.end() == 0, child.errors
    names = [result["name"] for result in child.of("result")]
    assert names == ["disagreement", "fused"]
    disagreement, fused = (np.load(result["path"]) for result in child.of("result"))
    assert fused.shape == disagreement.shape == large.shape
    assert disagreement.min() >= 0
    # The window begins at frame 4, where these networks' blocks of two frames begin as
    # well: they see the same, but for its ends.
    assert seen.shape == fused[20].shape
    assert np.corrcoef(seen.ravel(), fused[20].ravel())[0, 1] > 0.95


def test_fine_tuning_leaves_a_model_and_a_picture_at_each_validation(
    job, start, tiny_base, tmp_path
):
    from napari_lowdose.base_models import load_base

    settings = FineTuning(seconds=1.0, cubes=1, frames=8, size_px=16)
    update = {
        "task": Task.FINE_TUNE,
        "model": str(tiny_base),
        "frame": 5,
        "fine_tuning": settings,
    }
    child = start(job.model_copy(update=update))
    assert child.end() == 0, child.errors
    first, *others = child.of("checkpoint")
    assert (first["number"], first["model"], first["best"]) == (0, "", False)
    assert first["seconds"] == 0
    assert others
    for number, told in enumerate(others, 1):
        assert told["number"] == number
        assert told["base_loss"] == first["loss"]
        assert np.load(told["path"]).shape == job.noisy[0].open().shape[1:]
        assert told["frame"] == 5
        assert load_base(told["model"]).header.fine_tuning is not None
    progress = child.of("progress")[-1]
    assert progress["total"] == 1000
    assert "supervised" in progress["text"]  # the truth was given


def test_an_inspection_leaves_tables_that_hold_no_code(job, start):
    inspect = {"task": Task.INSPECT, "model": "fast", "truth": ()}
    child = start(job.model_copy(update=inspect))
    assert child.end() == 0, child.errors
    (told,) = child.of("particles")
    # objects would need pickle, which numpy refuses to load by itself
    particles, courses = (np.load(told[name]) for name in ("particles", "courses"))
    assert {"frame", "y", "x", "p_phantom", "verdict"} <= set(particles.dtype.names)
    assert "present" in courses.dtype.names
    names = {result["name"] for result in child.of("result")}
    assert {"xy", "xt", "yt", "fused", "residual"} <= names


def test_a_movie_that_cannot_be_tested_is_inspected_all_the_same(job, start, movie):
    raw = movie()[0].read().astype(np.float32)
    # neighbours along x averaged: they share half of their noise
    blurred = Stack((raw + np.roll(raw, 1, axis=2)) / 2, "blurred")
    saved = StackFile.save(blurred, Path(job.folder), "blurred")
    inspect = {"task": Task.INSPECT, "model": "fast", "truth": (), "noisy": (saved,)}
    child = start(job.model_copy(update=inspect))
    assert child.end() == 0, child.errors
    (told,) = child.of("particles")
    assert not told["tested"]
    assert len(np.load(told["courses"])) == 0
    assert any("switched off" in note for note in told["notes"])


@pytest.mark.parametrize("shape", [(100, 256, 256), (3, 40, 500), (20, 2048, 2048)])
@pytest.mark.parametrize("frame", [0, 2, -1])
def test_a_window_holds_the_frame_and_is_no_larger_than_allowed(shape, frame):
    from napari_lowdose.engine.preview import Window

    frame %= shape[0]
    window = Window.around(frame, shape, 600_000)
    parts = (window.frames, window.rows, window.columns)
    lengths = [part.stop - part.start for part in parts]
    assert frame in range(window.frames.start, window.frames.stop)
    for part, length in zip(parts, shape, strict=True):
        assert 0 <= part.start < part.stop <= length
    # nine frames are the least that slices through time need
    assert np.prod(lengths) <= 600_000
    assert lengths[0] >= min(9, shape[0])
    assert window.of(np.zeros(shape, np.uint8)).shape == tuple(lengths)
