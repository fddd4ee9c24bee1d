"""One stack, many methods, the same judge for all."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.compare.fingerprint import sha256_of, versions
from napari_lowdose.compare.result import SCORES, Kind, Result
from napari_lowdose.config import Comparison
from napari_lowdose.metrics import UnseenError, scores_of, thinned_error
from napari_lowdose.noise import (
    NoiseUnits,
    looks_counted,
    noise_units_of,
    thin,
)
from napari_lowdose.stack import Stack

# Share of the electrons that methods denoise where the rest must judge them.
_KEPT = 0.8


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

    def error(self, estimate: Real[ndarray, "t y x"]) -> UnseenError:
        """Score what a method made of the kept part, in counts squared."""
        electrons = (estimate - np.float32(self.offset)) / np.float32(self.gain)
        error = thinned_error(electrons, self.held_out, fraction=_KEPT)
        return UnseenError(error.sums * np.array([self.gain**2, 1.0]))


@dataclass(frozen=True)
class Contest:
    """One stack for all methods, and what to score them by.

    Parameters
    ----------
    noisy
        The stack that all methods denoise.
    counts
        Its values.
    truth
        Expected counts; None where nobody knows them.
    counted
        Whether there is no truth, but counts that can be held out instead.
    comparison
        Gain, offset and seed.
    """

    noisy: Stack
    counts: Real[ndarray, "t y x"]
    truth: Real[ndarray, "t y x"] | None
    counted: bool
    comparison: Comparison

    @classmethod
    def prepared(
        cls, noisy: Stack, truth: Stack | None, comparison: Comparison
    ) -> Contest:
        """Read the stacks and find out how methods can be judged.

        Raises
        ------
        UnusableStack
            If a stack has no contrast or values that are not finite.
        """
        counts = noisy.read()
        expected = None if truth is None else truth.read()
        gain, offset = comparison.gain, comparison.offset
        counted = truth is None and looks_counted(counts, gain=gain, offset=offset)
        if truth is None and not counted:
            warnings.warn(
                f"{noisy.name!r} does not look like Poisson counts with a gain of "
                f"{gain:g} and an offset of {offset:g}, so only the similarity of "
                "consecutive frames is scored, which rewards blur: give the truth, or "
                "the camera's gain and offset",
                stacklevel=3,
            )
        return cls(noisy, counts, expected, counted, comparison)

    @cached_property
    def thinned(self) -> Thinned | None:
        """What methods denoise to be judged by the rest; the same for all."""
        return Thinned.split(self.counts, self.comparison) if self.counted else None

    @cached_property
    def thinned_stack(self) -> Stack | None:
        """The kept part in the noisy stack's place."""
        if self.thinned is None:
            return None
        return replace(self.noisy, data=self.thinned.counts)

    @cached_property
    def noise(self) -> NoiseUnits:
        """The noise on the counts: the user's numbers, where they fit; else read."""
        how = self.comparison
        return noise_units_of(self.counts, gain=how.gain, offset=how.offset)

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """Tell the input, and the truth where there is one, from all others."""
        known = {"input_sha256": sha256_of(self.counts)}
        if self.truth is not None:
            known["truth_sha256"] = sha256_of(self.truth)
        return known

    def judged(
        self, result: Result, again: Real[ndarray, "t y x"] | None = None
    ) -> Result:
        """Score a result, and what the same method made of the thinned movie."""
        if result.stack is None:
            return result
        how = self.comparison
        found = scores_of(
            np.asarray(result.stack.data),
            # Of itself the noisy stack leaves nothing to look at.
            noisy=None if result.kind is Kind.NOISY else self.counts,
            truth=self.truth,
            gain=how.gain,
            offset=how.offset,
            seed=how.seed,
        )
        tiles: Sequence[Sequence[float]] = ()
        if self.thinned is not None and again is not None:
            error = self.thinned.error(again)
            found["thinned_mse"] = error.mse(np.random.default_rng(how.seed))
            tiles = error.sums.tolist()
        kept = {name: found[name] for name in SCORES if name in found}
        return replace(
            result,
            scores={name: score.value for name, score in kept.items()},
            std_errors={name: score.std_error for name, score in kept.items()},
            tiles=tiles,
        )

    def provenance(self, alone: Comparison) -> Mapping[str, Any]:
        """Record what a result can be repeated by: choices, hashes and versions.

        Parameters
        ----------
        alone
            The comparison with the one method that made it.
        """
        chosen = alone.model_dump(mode="json", exclude={"cache"})
        return {"comparison": chosen, **self.hashes, "versions": dict(versions())}
