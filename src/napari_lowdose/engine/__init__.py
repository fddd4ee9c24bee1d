"""One long job in a process of its own: ``python -m napari_lowdose.engine job.json``.

Speaks one JSON object a line on standard output, with the kind under ``event``, and
listens for ``stop``, ``pause``, ``resume``, ``frame N`` and ``skip "METHOD"`` on
standard input. The end of standard input means that the parent is gone: the process
ends at once.

Started without a file, it loads all that a job needs, and then waits for
``job "PATH"``, the path as a JSON string.

Why a process: torch's threads in the viewer's process fight its drawing, OpenMP's
waiting can only be chosen before torch is loaded, and a crash stays a message.
"""
