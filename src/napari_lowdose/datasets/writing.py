"""Write a data set to Zarr: in parallel, and on from where it was stopped."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zarr

from napari_lowdose.datasets.planning import Estimate, Plan, compressor
from napari_lowdose.errors import UnwritableFile

_FINISHED = "finished"  # one number per task: 1 when its items are whole
_DOSE = "dose"
_NUMBERS = ("n_items", "frames", "size", "seed", "items_per_task")
_ABOUT = "napari-lowdose"  # where the group's attributes tell what it is


def start(plan: Plan, path: str | os.PathLike[str]) -> int:
    """Lay out the folder of a set, or find one that was begun.

    Returns
    -------
    int
        Items that are finished already.

    Raises
    ------
    UnwritableFile
        If the folder holds something else.
    """
    missing = _missing(plan, Path(path))
    return plan.n_items - sum(len(plan.items_of(task)) for task in missing)


def _missing(plan: Plan, path: Path) -> list[int]:
    """List the tasks of a set that are not finished."""
    finished = np.asarray(_array(_opened(plan, path), _FINISHED)[:])
    return [int(task) for task in np.flatnonzero(finished == 0)]


def write(
    plan: Plan, path: str | os.PathLike[str], *, item: Estimate, workers: int
) -> Iterator[int]:
    """Make what is missing of a data set, several items at the same time.

    The folder is a Zarr group: an array (item, t, y, x) for each part, ``dose`` (item)
    in quanta per pixel, and notes of what is finished, so that calling this again
    after a stop goes on. Leaving the generator early is safe.

    Parameters
    ----------
    plan
        What to make.
    path
        Folder of the set; made when it is not there.
    item
        What one item takes, as `estimate` tells.
    workers
        Processes that work at the same time.

    Yields
    ------
    int
        Items that are finished, whenever some have been; the first at once.

    Raises
    ------
    UnwritableFile
        If the folder holds something else, or has not enough room for the set.
    """
    missing = _missing(plan, Path(path))
    n_left = sum(len(plan.items_of(task)) for task in missing)
    done = plan.n_items - n_left
    yield done
    if missing:
        _need_room(Path(path), n_left * item.n_bytes)
        for task in _work(plan, Path(path), missing, workers):
            done += len(plan.items_of(task))
            yield done


def _work(plan: Plan, path: Path, tasks: list[int], workers: int) -> Iterator[int]:
    """Hand out tasks, a few at a time, so that a stop is quick."""
    if workers == 1:
        for task in tasks:
            make_task(plan.name, _about(plan), str(path), task)
            yield task
        return
    # Not forked: threads of libraries do not survive that.
    context = multiprocessing.get_context("spawn")
    waiting = iter(tasks)
    with ProcessPoolExecutor(
        min(workers, len(tasks)), context, initializer=_alone_on_its_core
    ) as pool:
        running: dict[Future[None], int] = {}
        try:
            while True:
                for task in islice(waiting, 2 * workers - len(running)):
                    job = pool.submit(
                        make_task, plan.name, _about(plan), str(path), task
                    )
                    running[job] = task
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for job in ended:
                    job.result()
                    yield running.pop(job)
        finally:
            pool.shutdown(cancel_futures=True)


def _alone_on_its_core() -> None:
    """Leave the other cores to the other processes."""
    cv2.setNumThreads(1)


def make_task(name: str, about: dict[str, Any], path: str, task: int) -> None:
    """Make and store the items of one task; runs in a process of its own.

    Raises
    ------
    UnwritableFile
        If the disk is full or has gone.
    """
    from napari_lowdose.datasets import DATASETS

    plan = Plan(
        name,
        DATASETS[name],
        **{key: about[key] for key in _NUMBERS},
    )
    items = plan.items_of(task)
    made = [plan.make(index) for index in items]
    where = slice(items.start, items.stop)
    try:
        group = zarr.open_group(path, mode="r+")
        for part in plan.dataset.parts:
            _array(group, part)[where] = np.stack([arrays[part] for arrays, _ in made])
        _array(group, _DOSE)[where] = np.array([dose for _, dose in made])
        # Last: a task that is not marked is made again.
        _array(group, _FINISHED)[task] = 1
    except OSError as error:
        raise UnwritableFile(
            f"cannot write {path}: {error.strerror or error}; what is finished is "
            "kept, so run the same command again when there is room"
        ) from error


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """Find an array of the set.

    Raises
    ------
    UnwritableFile
        If someone has taken it away.
    """
    array = group.get(name)
    if not isinstance(array, zarr.Array):
        raise UnwritableFile(
            f"expected an array {name!r} in the data set, but it is gone; delete the "
            "folder and start again"
        )
    return array


def _about(plan: Plan) -> dict[str, Any]:
    return {
        "dataset": plan.name,
        **{name: getattr(plan, name) for name in _NUMBERS},
        "version": version("napari-lowdose"),
    }


def _opened(plan: Plan, path: Path) -> zarr.Group:
    """Open the set to go on with it, or start it."""
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            return _continued(plan, path)
        return _started(plan, path)
    except OSError as error:
        raise UnwritableFile(
            f"cannot write {path}: {error.strerror or error}; choose another folder"
        ) from error


def _continued(plan: Plan, path: Path) -> zarr.Group:
    """Open a set that was begun, if it is this very one."""
    about: object = None
    try:
        attributes = json.loads((path / "zarr.json").read_text())["attributes"]
        about = attributes[_ABOUT]
    except (OSError, ValueError, KeyError, TypeError):
        about = None
    if not isinstance(about, dict):
        raise UnwritableFile(
            f"expected a new folder or a data set of this program, but {path} holds "
            "something else; choose another name"
        )
    wanted = _about(plan)
    other = [name for name in wanted if about.get(name) != wanted[name]]
    if other:
        had = ", ".join(f"{name} {about.get(name)}" for name in other)
        raise UnwritableFile(
            f"{path} holds another set ({had}); choose another name, or give the same "
            "settings to go on with it"
        )
    return zarr.open_group(path, mode="r+")


def _started(plan: Plan, path: Path) -> zarr.Group:
    """Lay the arrays out in a folder that appears when all of them are there."""
    if not path.absolute().parent.is_dir():
        raise UnwritableFile(
            f"cannot write {path}: there is no folder {path.absolute().parent}; "
            "make it first"
        )
    temporary = path.with_name(f".{path.name}-new")
    shutil.rmtree(temporary, ignore_errors=True)
    group = zarr.open_group(temporary, mode="w")
    group.attrs[_ABOUT] = _about(plan)
    shape = (plan.frames, plan.size, plan.size)
    for part, kind in plan.dataset.parts.items():
        group.create_array(
            part,
            shape=(plan.n_items, *shape),
            chunks=(plan.items_per_task, *shape),
            dtype=kind,
            compressors=compressor(),
            dimension_names=("item", "t", "y", "x"),
        )
    group.create_array(
        _DOSE, shape=(plan.n_items,), chunks=(plan.items_per_task,), dtype="float64"
    )
    group.create_array(_FINISHED, shape=(plan.n_tasks,), chunks=(1,), dtype="uint8")
    if path.is_dir():
        path.rmdir()
    temporary.rename(path)
    return zarr.open_group(path, mode="r+")


def _need_room(path: Path, needed: int) -> None:
    """Refuse before the work what would fill the disk in the middle of it."""
    free = shutil.disk_usage(path).free
    if needed > free:
        raise UnwritableFile(
            f"the set needs about {needed / 1e9:.3g} GB, but {path} has "
            f"{free / 1e9:.3g} GB left; choose another disk, or fewer or smaller items"
        )
