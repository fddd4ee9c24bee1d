"""From the choices of a user to the methods that are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

from napari_lowdose.classical import BASELINES
from napari_lowdose.compare.baseline_method import BaselineMethod
from napari_lowdose.compare.given import OwnResult
from napari_lowdose.compare.method import Method
from napari_lowdose.compare.model_method import ModelMethod, OpenModel
from napari_lowdose.config import Comparison, Plane, Reading
from napari_lowdose.io.series import stack_name
from napari_lowdose.shipped import model_path
from napari_lowdose.stack import Stack

_TAKEN = ("noisy", "truth")


def methods_of(
    comparison: Comparison,
    open_model: OpenModel | None = None,
    *,
    estimates: Sequence[Stack] = (),
    reading: Reading = Reading(),  # noqa: B008 - frozen
) -> list[Method]:
    """List the methods that a comparison asks for, under names of their own.

    Parameters
    ----------
    comparison
        Baselines, models and files of results.
    open_model
        Reads models, as `napari_lowdose.applying.open_model` does.
    estimates
        More results made elsewhere, that are in memory already.
    reading
        Which part of the files of results.

    Raises
    ------
    ValueError
        If a baseline is unknown, or there are models and nothing to open them with.
    """
    for name in comparison.baselines:
        if name not in BASELINES:
            raise ValueError(
                f"expected baselines among {', '.join(BASELINES)}, got {name!r}"
            )
    if comparison.models and open_model is None:
        raise ValueError(
            "expected open_model for a comparison with models; "
            "give napari_lowdose.applying.open_model"
        )
    baselines = [*dict.fromkeys(comparison.baselines)]
    models = [*dict.fromkeys(comparison.models)]
    files = [*map(Path, dict.fromkeys(comparison.estimates))]
    paths = [model_path(name) for name in models]
    taken = [*_TAKEN, *baselines]
    called = distinct(
        [
            *((path.stem, path.parent.name) for path in paths),
            *((stack_name(path), path.resolve().parent.name) for path in files),
            *((stack.name, "") for stack in estimates),
        ],
        taken,
    )
    names = iter(called)
    methods: list[Method] = [BaselineMethod(n, BASELINES[n]) for n in baselines]
    if open_model is not None:
        methods += [ModelMethod(next(names), path, open_model) for path in models]
    methods += [OwnResult(next(names), path, reading) for path in files]
    methods += [OwnResult(next(names), stack) for stack in estimates]
    return methods


def distinct(named: Iterable[tuple[str, str]], taken: Iterable[str]) -> list[str]:
    """Give each a name that no other has, nor a plane of another.

    Parameters
    ----------
    named
        A name, and what tells it from another of the same name, such as its folder.
    taken
        Names that are in use.

    Examples
    --------
    >>> distinct([("mine", "monday"), ("mine", "friday"), ("other", "")], [])
    ['mine (monday)', 'mine (friday)', 'other']
    """
    named, used = [*named], {*taken}
    often = Counter(name for name, _ in named)
    found = []
    for name, more in named:
        shared = often[name] > 1 or name in used
        wanted = f"{name} ({more})" if shared and more else name
        numbered = (f"{wanted} {number}" for number in count(2))
        while wanted in used:
            wanted = next(numbered)
        used |= {wanted, *(f"{wanted} {plane}" for plane in Plane)}
        found.append(wanted)
    return found
