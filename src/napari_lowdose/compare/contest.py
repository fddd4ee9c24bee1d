"""One stack, many methods, the same judge for all."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.classical import Baseline, Tuned, tune
from napari_lowdose.compare.result import Result
from napari_lowdose.config import Comparison, Plane
from napari_lowdose.errors import LowDoseError
from napari_lowdose.metrics import score
from napari_lowdose.noise import looks_counted, thin
from napari_lowdose.noise.thinned_error import thinned_mse
from napari_lowdose.stack import Stack

# Share of the electrons that methods denoise where the rest must judge them.
_KEPT = 0.8


@runtime_checkable
class Seen(Protocol):
    """What a denoiser made of a stack."""

    @property
    def fused(self) -> ndarray:
        """The one estimate, (t, y, x) counts."""

    @property
    def planes(self) -> Mapping[Plane, ndarray]:
        """The estimates of the planes, each on its own."""


@runtime_checkable
class Looks(Protocol):
    """What a denoiser must be able to do; `napari_lowdose.denoiser.Denoiser` can."""

    def denoised(self, stack: ndarray, /) -> Seen:
        """Denoise (t, y, x) counts, also by each plane on its own."""


@dataclass(frozen=True)
class Thinned:
    """A movie of most of the electrons, and the rest to judge by."""

    counts: Float[ndarray, "t y x"]
    held_out: Float[ndarray, "t y x"]
    gain: float
    offset: float

    @classmethod
    def split(cls, counts: Real[ndarray, "t y x"], comparison: Comparison) -> Thinned:
        """Thin counts; the kept part is scaled to the brightness of the whole."""
        gain, offset = comparison.gain, comparison.offset
        rng = np.random.default_rng(comparison.seed)
        first, second = thin(counts, _KEPT, gain=gain, offset=offset, rng=rng)
        kept = first * np.float32(gain / _KEPT) + np.float32(offset)
        return cls(kept, second, gain, offset)

    def error(self, estimate: Real[ndarray, "t y x"]) -> float:
        """Score what a method made of the kept part, in counts squared."""
        electrons = (estimate - np.float32(self.offset)) / np.float32(self.gain)
        return thinned_mse(electrons, self.held_out, fraction=_KEPT) * self.gain**2


@dataclass(frozen=True)
class Contest:
    """One stack for all methods, and what to score them by."""

    noisy: Stack
    counts: Real[ndarray, "t y x"]
    truth: Real[ndarray, "t y x"] | None
    thinned: Thinned | None
    comparison: Comparison

    @classmethod
    def prepared(
        cls, noisy: Stack, truth: Stack | None, comparison: Comparison
    ) -> Contest:
        """Read the stacks and find out how methods can be judged."""
        counts = noisy.read()
        gain, offset = comparison.gain, comparison.offset
        thinned = None
        if truth is None and looks_counted(counts, gain=gain, offset=offset):
            thinned = Thinned.split(counts, comparison)
        elif truth is None:
            warnings.warn(
                f"{noisy.name!r} does not look like Poisson counts with a gain of "
                f"{gain:g} and an offset of {offset:g}, so only the similarity of "
                "consecutive frames is scored, which rewards blur: give the truth, or "
                "the camera's gain and offset",
                stacklevel=3,
            )
        expected = None if truth is None else truth.read()
        return cls(noisy, counts, expected, thinned, comparison)

    def noisy_result(self) -> Result:
        """Score the noisy stack itself."""
        again = self.thinned.counts if self.thinned else None
        scores = self._scores(self.counts, again)
        return Result("noisy", self.noisy, scores, 0.0, {})

    def baseline_result(self, name: str, baseline: Baseline) -> Result:
        """Tune, run and score a baseline; if it fails, say why and let others go on."""
        try:
            return self._tuned_result(name, baseline)
        except (LowDoseError, cv2.error, MemoryError) as error:
            reason = str(error) or type(error).__name__
            text = f"{name} failed: {' '.join(reason.split())}"
            return Result(name, None, {}, float("nan"), {}, error=text)

    def _tuned_result(self, name: str, baseline: Baseline) -> Result:
        how = self.comparison
        tuned = tune(
            baseline,
            self.counts,
            truth=self.truth,
            gain=how.gain,
            offset=how.offset,
            seed=how.seed,
        )
        start = perf_counter()
        estimate = baseline.denoise(self.counts, tuned.settings)
        seconds = perf_counter() - start
        again = None
        if self.thinned:
            again = baseline.denoise(self.thinned.counts, tuned.settings)
        scores = self._scores(estimate, again)
        stack = self.noisy.with_data(estimate, name, _step(name, tuned))
        return Result(
            name, stack, scores, seconds, tuned.settings, criterion=tuned.criterion
        )

    def denoiser_results(
        self, denoiser: Looks, model: Mapping[str, Any]
    ) -> Iterator[Result]:
        """Score each plane of a denoiser, and their fusion where there are several."""
        start = perf_counter()
        seen = denoiser.denoised(self.counts)
        seconds = perf_counter() - start
        again = denoiser.denoised(self.thinned.counts) if self.thinned else None
        planes = [str(plane) for plane in seen.planes]
        for plane, estimate in seen.planes.items():
            scores = self._scores(estimate, again.planes[plane] if again else None)
            step = {"step": "denoise", "estimate": str(plane), **model}
            stack = self.noisy.with_data(estimate, str(plane), step)
            yield Result(str(plane), stack, scores, seconds / len(planes), {})
        if len(planes) < 2:
            return
        scores = self._scores(seen.fused, again.fused if again else None)
        step = {"step": "denoise", "estimate": "fused", "planes": planes, **model}
        stack = self.noisy.with_data(seen.fused, "fused", step)
        yield Result("fused", stack, scores, seconds, {})

    def _scores(
        self,
        estimate: Real[ndarray, "t y x"],
        again: Real[ndarray, "t y x"] | None,
    ) -> dict[str, float]:
        """Score an estimate, and what the same method made of the thinned movie."""
        scores = score(estimate, self.truth)
        if self.thinned is not None and again is not None:
            scores["thinned_mse"] = self.thinned.error(again)
        return scores


def _step(name: str, tuned: Tuned) -> Mapping[str, Any]:
    """Record how a baseline made its estimate."""
    return {
        "step": "denoise",
        "method": name,
        "settings": dict(tuned.settings),
        "tuned by": tuned.criterion,
    }
