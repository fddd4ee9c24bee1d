"""What is compared without any work: the noisy stack, and results made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from pathlib import Path

import numpy as np

from napari_lowdose.compare.contest import Contest
from napari_lowdose.compare.fingerprint import sha256_of, sha256_of_file
from napari_lowdose.compare.result import Kind, Result
from napari_lowdose.config import Comparison, Reading
from napari_lowdose.errors import LowDoseError
from napari_lowdose.io import read_stack
from napari_lowdose.stack import Stack, stamped

_UNJUDGED = (
    "it is there already and has seen all counts, so none can be held out to judge it"
)


@dataclass(frozen=True)
class Untouched:
    """The noisy stack itself, that all others must beat."""

    name: str = "noisy"
    kind: Kind = Kind.NOISY

    def why_not(self, noisy: Stack) -> str:
        """Nothing: there is always a noisy stack."""
        return ""

    def alone(self, comparison: Comparison) -> Comparison:
        """Give the comparison of nothing else."""
        return Comparison(
            baselines=(),
            gain=comparison.gain,
            offset=comparison.offset,
            seed=comparison.seed,
        )

    def hashes(self) -> Mapping[str, str]:
        """Nothing beside the stack's own hash."""
        return {}

    def given(self, noisy: Stack) -> Stack:
        """Give the stack as it is."""
        return noisy

    def results(self, contest: Contest) -> Iterator[Result]:
        """Score the noisy stack."""
        again = contest.thinned.counts if contest.thinned else None
        result = Result(self.name, contest.noisy, {}, 0.0, {}, kind=self.kind)
        yield contest.judged(result, again)


@dataclass(frozen=True)
class OwnResult:
    """A result that was made elsewhere.

    Parameters
    ----------
    name
        What the table calls it.
    source
        The stack, or its file.
    reading
        Which part of the file.
    """

    name: str
    source: Stack | Path
    reading: Reading = field(default_factory=Reading)
    kind: Kind = Kind.FILE

    @cached_property
    def stack(self) -> Stack:
        """The result as it came."""
        if isinstance(self.source, Stack):
            return self.source
        return read_stack(self.source, self.reading)

    def why_not(self, noisy: Stack) -> str:
        """Say why it cannot be compared with a stack; empty if it can."""
        try:
            shape = self.stack.shape
        except LowDoseError as error:
            return str(error)
        if shape != noisy.shape:
            return (
                f"expected a result of the noisy stack's shape {noisy.shape}, got "
                f"{shape} in {self.name!r}; choose one of the same frames"
            )
        return ""

    def alone(self, comparison: Comparison) -> Comparison:
        """Give the comparison that asks for it only."""
        return Comparison(
            baselines=(),
            estimates=(self._file,),
            gain=comparison.gain,
            offset=comparison.offset,
            seed=comparison.seed,
        )

    def hashes(self) -> Mapping[str, str]:
        """Tell it from all others."""
        if isinstance(self.source, Stack):
            return {"sha256": sha256_of(self.source.read())}
        crop = self.reading.model_dump_json(exclude_defaults=True)
        return {"sha256": sha256_of_file(self.source), "reading": crop}

    def given(self, noisy: Stack) -> Stack:
        """Give it in the noisy stack's place, with its own history."""
        step = stamped({"step": "take over", "file": self._file, **self.hashes()})
        estimate = np.asarray(self.stack.read(), np.float32)
        recipe = (*self.stack.recipe, step)
        return replace(
            noisy, data=estimate, name=f"{noisy.name} {self.name}", recipe=recipe
        )

    def results(self, contest: Contest) -> Iterator[Result]:
        """Score it, as far as a finished result can be."""
        result = Result(
            self.name,
            self.given(contest.noisy),
            {},
            nan,
            {},
            kind=self.kind,
            notes=(f"{self.name}: {_UNJUDGED}",) if contest.counted else (),
        )
        yield contest.judged(result)

    @property
    def _file(self) -> str:
        """What it comes from, without the places of this machine."""
        return self.source.name
