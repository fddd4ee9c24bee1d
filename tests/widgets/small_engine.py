"""A small process that speaks the engine's protocol: ``small_engine.py MODE [job]``.

Without a job's file it waits for ``job "PATH"``.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

mode, *files = sys.argv[1:]
if files:
    job = Path(files[0])
else:
    told = sys.stdin.readline()
    if not told:
        sys.exit(3)
    job = Path(json.loads(told.removeprefix("job ")))
going, stopped = threading.Event(), threading.Event()
going.set()
writing = threading.Lock()


def say(event, **content):
    with writing:
        sys.stdout.write(json.dumps({"event": event, **content}) + "\n")
        sys.stdout.flush()


def listen():
    for line in sys.stdin:
        command = line.split()
        if command[0] == "pause":
            going.clear()
        elif command[0] == "resume":
            going.set()
        elif command[0] == "frame":
            say("heard", frame=int(command[1]))
        elif command[0] == "stop":
            stopped.set()
            going.set()
    os._exit(3)


def beat():
    while True:
        say("heartbeat")
        time.sleep(0.05)


if mode != "deaf":
    threading.Thread(target=listen, daemon=True).start()
say("hello", pid=os.getpid())
sys.stdout.write("a library's chatter, not an event\n")
threading.Thread(target=beat, daemon=True).start()
if mode == "error":
    say("error", text="the model file is damaged; train it again")
    os._exit(2)
if mode == "crash":
    sys.exit("Fatal: CUDA device lost")
if mode == "killed":
    os.kill(os.getpid(), 9)
if mode == "warning":
    say("warning", text="only 2 frames: used xy alone")
if mode == "result":
    path = job.parent / "fused.npy"
    np.save(path, np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    say("result", name="fused", path=str(path), scores={}, seconds=1.0, step={})
steps = 3 if mode in ("warning", "result", "short") else 10_000
for step in range(steps):
    going.wait()
    if stopped.is_set():
        break
    say("progress", done=step, total=steps, seconds_left=1.0, text="working")
    time.sleep(0.01)
say("done", stopped=stopped.is_set())
os._exit(0)
