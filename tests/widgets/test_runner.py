from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_lowdose.widgets import engine_child, engine_process
from napari_lowdose.widgets.background import Background
from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.runner import EngineRun
from napari_lowdose.widgets.spare_engine import SpareEngine

SMALL_ENGINE = Path(__file__).with_name("small_engine.py")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def write_job(folder):
    path = folder / "job.json"
    path.write_text("{}")
    return path


@pytest.fixture
def panel(qtbot):
    made = Panel(ViewerModel())
    yield made
    made.closed.emit()


@pytest.fixture
def run(panel, qtbot):
    """Start the small engine in a mode; collect what it says."""

    def started(mode, prepare=write_job, spare=None):
        command = (sys.executable, str(SMALL_ENGINE), mode)
        run = EngineRun(
            prepare, title="test", panel=panel, command=command, spare=spare
        )
        run.heard = []
        run.said.connect(run.heard.append)
        run.start()
        return run

    return started


def events(run):
    return [message["event"] for message in run.heard]


def test_a_job_tells_its_events_and_ends(run, qtbot):
    job = run("short")
    with qtbot.waitSignal(job.ended, timeout=5000) as end:
        pass
    assert end.args == [True]
    assert events(job)[:2] == ["progress", "hello"]
    assert events(job)[-1] == "done"
    assert "heartbeat" not in events(job)
    assert not job.running
    assert not alive(job.process.pid)


def test_events_come_at_most_ten_times_a_second(run, qtbot):
    job = run("long")
    times = []
    job.came.connect(lambda _: times.append(time.monotonic()))
    qtbot.waitUntil(lambda: len(times) > 12, timeout=5000)
    # two of them, before the engine speaks and at its first words, come early
    assert times[-1] - times[2] > 0.09 * (len(times) - 4)
    job.abandon()


def test_stop_ends_well_and_leaves_no_process(run, qtbot):
    job = run("long")
    qtbot.waitUntil(lambda: "hello" in events(job), timeout=5000)
    with qtbot.waitSignal(job.ended, timeout=5000) as end:
        job.stop()
    assert end.args == [True]
    assert job.heard[-1] == {"event": "done", "stopped": True}
    assert not alive(job.process.pid)


def test_pause_holds_the_job_until_resume(run, qtbot):
    job = run("long")
    qtbot.waitUntil(lambda: events(job).count("progress") > 2, timeout=5000)
    job.pause(True)
    qtbot.wait(300)
    count = events(job).count("progress")
    qtbot.wait(300)
    assert events(job).count("progress") == count
    job.pause(False)
    qtbot.waitUntil(lambda: events(job).count("progress") > count, timeout=5000)
    job.abandon()


def test_the_engine_is_told_which_frame_is_shown(run, qtbot):
    job = run("long")
    qtbot.waitUntil(lambda: "hello" in events(job), timeout=5000)
    job.look_at(7)
    qtbot.waitUntil(lambda: {"event": "heard", "frame": 7} in job.heard, timeout=5000)
    job.abandon()


def test_results_are_read_into_memory_before_the_folder_goes(run, qtbot):
    job = run("result")
    with qtbot.waitSignal(job.ended, timeout=5000):
        pass
    (result,) = (m for m in job.heard if m["event"] == "result")
    assert not Path(result["path"]).exists()
    np.testing.assert_array_equal(result["array"].ravel(), np.arange(24))


def test_large_results_stay_in_a_file_that_lives_as_long_as_they(
    run, qtbot, monkeypatch
):
    monkeypatch.setattr(engine_process, "_KEPT_IN_MEMORY", 0)
    job = run("result")
    with qtbot.waitSignal(job.ended, timeout=5000):
        pass
    (result,) = (m for m in job.heard if m["event"] == "result")
    array = result["array"]
    file = Path(array.filename)
    assert file.exists()
    np.testing.assert_array_equal(array.ravel(), np.arange(24))
    job.heard.clear()
    result.clear()
    del array
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("error", "the model file is damaged; train it again"),
        (
            "crash",
            "the computation broke down (exit code 1): Fatal: CUDA device lost",
        ),
        (
            "killed",
            "the computation was ended from outside (exit code -9); perhaps the "
            "memory was full: crop the stack or lower the batch",
        ),
    ],
)
def test_failures_reach_the_user_as_one_sentence(run, qtbot, panel, mode, sentence):
    job = run(mode)
    with qtbot.waitSignal(job.ended, timeout=5000) as end:
        pass
    assert end.args == [False]
    assert panel.status.text() == sentence
    assert notification_manager.records[-1].message == sentence
    assert notification_manager.records[-1].severity.value == "error"


def test_a_runtime_error_while_preparing_does_not_vanish(run, qtbot, panel):
    def prepare(folder):
        raise RuntimeError("the disk\nis on fire")

    job = run("short", prepare)
    with qtbot.waitSignal(job.ended, timeout=5000):
        pass
    assert panel.status.text() == "the disk is on fire"
    assert not job.running


def test_a_runtime_error_in_a_short_work_does_not_vanish(qtbot, panel):
    def steps():
        yield 1
        raise RuntimeError("no memory")

    work = Background(steps, title="short", panel=panel)
    with qtbot.waitSignal(work.ended, timeout=5000) as end:
        work.start()
    assert end.args == [False]
    assert panel.status.text() == "no memory"


def test_items_come_in_order_and_before_the_end_also_where_slots_run_the_event_loop(
    qtbot, panel
):
    def steps():
        yield from range(4)

    heard = []

    def hear(item):
        qtbot.wait(100)  # as a notification or a new layer may do
        heard.append(item)
        assert work.running

    work = Background(steps, title="short", panel=panel)
    work.came.connect(hear)
    work.ended.connect(heard.append)
    work.start()
    qtbot.waitUntil(lambda: len(heard) == 5, timeout=5000)
    assert heard == [0, 1, 2, 3, True]
    assert not work.running


def test_a_fault_of_ours_is_shown_as_one(qtbot, panel):
    def steps():
        yield 1
        raise KeyError("oops")

    work = Background(steps, title="short", panel=panel)
    with qtbot.captureExceptions(), qtbot.waitSignal(work.ended, timeout=5000):
        work.start()
    assert "unexpected KeyError" in panel.status.text()


def test_warnings_of_the_engine_and_of_threads_reach_the_user(run, qtbot, panel):
    job = run("warning")
    with qtbot.waitSignal(job.ended, timeout=5000):
        pass
    messages = [record.message for record in notification_manager.records]
    assert "only 2 frames: used xy alone" in messages

    def steps():
        yield 1
        warnings.warn("12 values were clipped", UserWarning, stacklevel=1)

    work = Background(steps, title="short", panel=panel)
    with qtbot.waitSignal(work.ended, timeout=5000):
        work.start()
    messages = [str(record.message) for record in notification_manager.records]
    assert any("12 values were clipped" in message for message in messages)


def test_closing_the_panel_ends_the_job_in_silence(run, qtbot, panel):
    job = run("long")
    qtbot.waitUntil(lambda: "hello" in events(job), timeout=5000)
    said = len(job.heard)
    start = time.monotonic()
    panel.closed.emit()
    assert time.monotonic() - start < 1
    assert not alive(job.process.pid)
    qtbot.wait(200)
    assert len(job.heard) == said


def test_an_engine_that_does_not_listen_is_killed(run, qtbot, monkeypatch):
    monkeypatch.setattr(engine_child, "_GRACE_S", 0.2)
    job = run("deaf")
    qtbot.waitUntil(lambda: "hello" in events(job), timeout=5000)
    job.abandon()
    assert not alive(job.process.pid)


def test_quitting_the_worker_as_napari_does_ends_the_engine(run, qtbot):
    job = run("long")
    qtbot.waitUntil(lambda: "hello" in events(job), timeout=5000)
    with qtbot.waitSignal(job.ended, timeout=5000) as end:
        job._worker.quit()
    assert end.args == [False]
    assert not alive(job.process.pid)


def test_nothing_is_started_for_a_job_given_up_while_it_was_prepared(run, qtbot):
    prepared = []

    def prepare(folder):
        time.sleep(0.3)
        prepared.append(folder)
        return write_job(folder)

    job = run("long", prepare)
    qtbot.wait(100)
    start = time.monotonic()
    job.abandon()
    assert time.monotonic() - start < 0.1  # the dock closes at once
    qtbot.waitUntil(lambda: bool(prepared) and not prepared[0].exists(), timeout=5000)
    assert job.process.pid is None


@pytest.fixture
def spare():
    """A place for one small engine that waits."""
    made = SpareEngine((sys.executable, str(SMALL_ENGINE), "short"))
    yield made
    made.close()


def test_one_engine_at_most_waits_and_it_does_the_next_job(run, qtbot, panel, spare):
    spare.refill()
    assert spare.pid is None  # nobody may need one
    spare.serve(panel)
    pid = spare.pid
    assert alive(pid)
    spare.serve(panel)
    spare.refill()
    assert spare.pid == pid
    job = run("long", spare=spare)  # a cold start would be another mode
    with qtbot.waitSignal(job.ended, timeout=5000) as end:
        pass
    assert end.args == [True]
    assert job.process.pid == pid
    assert events(job)[-1] == "done"
    assert spare.pid is None
    assert not alive(pid)


def test_the_engine_that_waits_ends_when_the_last_panel_is_closed(qtbot, panel, spare):
    other = Panel(ViewerModel())
    for each in (panel, other):
        spare.serve(each)
    pid = spare.pid
    panel.closed.emit()
    assert spare.pid == pid
    other.closed.emit()
    assert spare.pid is None
    assert not alive(pid)
    spare.refill()
    assert spare.pid is None


def test_an_engine_that_broke_down_while_it_waited_is_replaced(
    run, qtbot, panel, spare
):
    spare.serve(panel)
    broken = spare.pid
    os.kill(broken, 9)
    qtbot.waitUntil(lambda: spare.pid is None, timeout=5000)
    job = run("short", spare=spare)
    with qtbot.waitSignal(job.ended, timeout=5000) as end:
        pass
    assert end.args == [True]
    assert job.process.pid != broken
    spare.serve(panel)
    assert alive(spare.pid)


WAITING = """
import os, sys
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.spare_engine import SPARE

app = QApplication([])
panel = Panel(ViewerModel())
SPARE.serve(panel)
print(SPARE.pid, flush=True)
if sys.argv[1] == "die":
    os._exit(9)
"""


@pytest.mark.parametrize(("how", "code"), [("end", 0), ("die", 9)])
@pytest.mark.usefixtures("qtbot")  # there is a screen
def test_no_waiting_engine_survives_the_viewer(how, code):
    ended = subprocess.run(
        [sys.executable, "-c", WAITING, how], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == code, ended.stderr
    pid = int(ended.stdout)
    limit = time.monotonic() + 10
    while alive(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not alive(pid)


SCRIPT = """
import os, sys
import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.runner import EngineRun

how, *engine = sys.argv[1:]

def prepare(folder):
    path = folder / "job.json"
    path.write_text("{}")
    return path

def said(message):
    if message["event"] != "hello" or how == "script":
        return
    print(message["pid"], flush=True)
    if how == "die":
        os._exit(9)
    elif how == "quit":
        QTimer.singleShot(0, QApplication.quit)
    else:
        QTimer.singleShot(0, viewer.close)

viewer = napari.Viewer(show=how == "close")
panel = Panel(viewer)
viewer.window.add_dock_widget(panel)
run = EngineRun(prepare, title="t", panel=panel, command=(sys.executable, *engine))
run.said.connect(said)
run.start()
if how == "script":
    # no event loop, as in a script that only drives the viewer
    while run.process.pid is None:
        QApplication.processEvents()
    print(run.process.pid, flush=True)
    viewer.close()
else:
    QApplication.exec()
"""


@pytest.mark.parametrize(
    ("how", "code"), [("close", 0), ("quit", 0), ("script", 0), ("die", 9)]
)
@pytest.mark.usefixtures("make_napari_viewer")  # skips where there is no screen
def test_no_process_survives_the_viewer(how, code):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, how, str(SMALL_ENGINE), "long"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == code, ended.stderr
    assert "has been deleted" not in ended.stderr
    pid = int(ended.stdout)
    limit = time.monotonic() + 5
    while alive(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not alive(pid)
