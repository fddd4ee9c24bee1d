"""What can be compared: anything that makes an estimate of a stack."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import nan
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np

from napari_lowdose.compare.cache import Cache, Entry
from napari_lowdose.compare.contest import Contest
from napari_lowdose.compare.fingerprint import program, sha256_of_settings, versions
from napari_lowdose.compare.result import Kind, Result
from napari_lowdose.config import Comparison
from napari_lowdose.errors import LowDoseError, UnwritableFile
from napari_lowdose.stack import Stack

# What one method may raise on data that others can work with. Torch's lack of memory is
# a RuntimeError, numpy's of a solution a ValueError.
_FAILURES = (
    LowDoseError,
    cv2.error,
    MemoryError,
    RuntimeError,
    ValueError,
    ArithmeticError,
    OSError,
)
# What of a result is kept as it is.
_KEPT = (
    "scores",
    "std_errors",
    "seconds",
    "memory_mb",
    "settings",
    "criterion",
    "notes",
    "tiles",
)


@runtime_checkable
class Method(Protocol):
    """One way to an estimate: a baseline, a model, or what was made elsewhere."""

    @property
    def name(self) -> str:
        """What the table calls it; unique within a comparison."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    def why_not(self, noisy: Stack) -> str:
        """Say in one sentence why it cannot run on a stack; empty if it can."""

    def alone(self, comparison: Comparison) -> Comparison:
        """Give the comparison that asks for this method only, and what it heeds."""

    def hashes(self) -> Mapping[str, str]:
        """Tell what it is made of, beside settings, from everything else."""

    def given(self, noisy: Stack) -> Stack | None:
        """Give its estimate where it needs no work; None where it does."""

    def results(self, contest: Contest) -> Iterator[Result]:
        """Make the estimates and score them."""


def ran(
    method: Method, contest: Contest, cache: Cache | None = None
) -> Iterator[Result]:
    """Run a method; if it fails, tell why, so that others can go on.

    Parameters
    ----------
    method
        What to run.
    contest
        The stack, and the judge.
    cache
        Where results are looked for first and kept; None: neither.

    Yields
    ------
    Result
        One or more; one with an `error` where the method cannot run or fails.
    """
    try:
        reason = method.why_not(contest.noisy)
        if reason:
            yield _failed(method, reason)
        elif cache is None:
            yield from method.results(contest)
        else:
            yield from _ran_once(method, contest, cache)
    except _FAILURES as error:
        text = " ".join((str(error) or type(error).__name__).split())
        yield _failed(method, f"{method.name} failed: {text}")


def key_of(method: Method, contest: Contest) -> str:
    """Hash all that a method's results depend on."""
    alone = method.alone(contest.comparison).model_dump(mode="json", exclude={"cache"})
    return sha256_of_settings({
        "comparison": alone,
        "method": method.hashes(),
        "stacks": contest.hashes,
        "versions": versions(),
        "program": program(),
    })  # fmt: skip


def _ran_once(method: Method, contest: Contest, cache: Cache) -> Iterator[Result]:
    """Take results from the cache, or make them and keep them there."""
    key = key_of(method, contest)
    entries = cache.find(key)
    if entries is not None:
        for entry in entries:
            yield _restored(method, contest, entry)
        return
    made = []
    for result in method.results(contest):
        made.append(_entry(method, contest, result))
        yield result
    try:
        cache.keep(key, made)
    except UnwritableFile as error:
        warnings.warn(f"results are not kept for the next time: {error}", stacklevel=2)


def _entry(method: Method, contest: Contest, result: Result) -> Entry:
    content: dict[str, Any] = {name: getattr(result, name) for name in _KEPT}
    content["suffix"] = result.name.removeprefix(method.name)
    if method.given(contest.noisy) is not None or result.stack is None:
        return Entry(content, None)
    content["step"] = result.stack.recipe[-1]
    return Entry(content, np.asarray(result.stack.data))


def _restored(method: Method, contest: Contest, entry: Entry) -> Result:
    content = dict(entry.content)
    name = method.name + content.pop("suffix")
    step = content.pop("step", None)
    content["notes"] = tuple(content["notes"])
    stack = method.given(contest.noisy)
    if stack is None and entry.array is not None:
        stack = contest.noisy.with_data(entry.array, name, step)
    return Result(name, stack, kind=method.kind, cached=True, **content)


def _failed(method: Method, reason: str) -> Result:
    return replace(
        Result(method.name, None, {}, nan, {}), error=reason, kind=method.kind
    )
