"""Do one job in a process of its own and end."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from napari_lowdose.engine.link import Link, Stopped
from napari_lowdose.errors import LowDoseError
from napari_lowdose.jobs import Job


def main(arguments: list[str]) -> int:
    """Do the job in the file that is named, now or later; give the exit code."""
    # Before torch loads: waiting OpenMP threads must not take the viewer's core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if hasattr(os, "nice"):
        os.nice(10)
    # Whatever libraries print must not come between the events.
    events, sys.stdout = sys.stdout, sys.stderr
    link = Link(sys.stdin, events)
    link.open()
    warnings.showwarning = lambda message, *_, **__: link.emit(
        "warning", text=str(message)
    )
    path = Path(arguments[0] if arguments else _next_job(link))
    link.beat()
    try:
        job = Job.model_validate_json(path.read_text(encoding="utf-8"))
        if link.frame < 0:  # the parent may have told a newer one already
            link.frame = job.frame
        # Only now: this loads torch.
        from napari_lowdose.engine.tasks import TASKS

        TASKS[job.task](job, link)
    except Stopped:
        pass
    except (LowDoseError, ValueError) as error:
        link.emit("error", text=str(error))
        return 2
    except MemoryError:
        link.emit("error", text="the memory is full; crop the stack or close others")
        return 2
    link.emit("done", stopped=link.stopped)
    return 0


def _next_job(link: Link) -> str:
    """Load and try all that takes its time at the first use; then wait."""
    from napari_lowdose.engine.tasks import warm_up

    warm_up()
    link.emit("warm")
    return link.job()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Not sys.exit: the listening thread still holds standard input.
    sys.stderr.flush()
    os._exit(code)
