"""A classical method as one of those compared: tuned first, then run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from napari_lowdose.classical import Baseline, stabilized, tune
from napari_lowdose.compare.contest import Contest
from napari_lowdose.compare.cost import available_bytes, measured
from napari_lowdose.compare.result import Kind, Result
from napari_lowdose.config import Comparison
from napari_lowdose.stack import Stack


@dataclass(frozen=True)
class BaselineMethod:
    """A classical method.

    Parameters
    ----------
    name
        Its name in `napari_lowdose.classical.BASELINES`.
    baseline
        What it does.
    """

    name: str
    baseline: Baseline
    kind: Kind = Kind.BASELINE

    def why_not(self, noisy: Stack) -> str:
        """Say why it cannot run on a stack; empty if it can."""
        dtype = np.dtype(noisy.data.dtype)
        return self.baseline.why_not(noisy.shape, dtype, available_bytes())

    def alone(self, comparison: Comparison) -> Comparison:
        """Give the comparison that asks for it only, with what it heeds."""
        return Comparison(
            baselines=(self.name,),
            gain=comparison.gain,
            offset=comparison.offset,
            seed=comparison.seed,
        )

    def hashes(self) -> Mapping[str, str]:
        """Nothing: it is all in the package."""
        return {}

    def given(self, noisy: Stack) -> None:
        """Nothing: its estimate must be made."""

    def results(self, contest: Contest) -> Iterator[Result]:
        """Tune it on the stack, run it, and score it."""
        how, baseline = contest.comparison, self.baseline
        if baseline.even_noise:
            baseline = stabilized(baseline, contest.noise)
        run = baseline.denoise
        tuned = tune(
            baseline,
            contest.counts,
            truth=contest.truth,
            gain=how.gain,
            offset=how.offset,
            seed=how.seed,
        )
        estimate, cost = measured(lambda: run(contest.counts, tuned.settings))
        thinned = contest.thinned
        again = run(thinned.counts, tuned.settings) if thinned else None
        step = {
            "step": "denoise",
            "method": self.name,
            "settings": dict(tuned.settings),
            "tuned by": tuned.criterion,
            "noise made even": baseline is not self.baseline,
            **contest.provenance(self.alone(how)),
        }
        result = Result(
            self.name,
            contest.noisy.with_data(estimate, self.name, step),
            {},
            cost.seconds,
            tuned.settings,
            criterion=tuned.criterion,
            memory_mb=cost.memory_mb,
            kind=self.kind,
        )
        yield contest.judged(result, again)
