"""Scores of a part of a comparison: some frames, rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.compare.result import SCORES, Kind, Result
from napari_lowdose.config import Comparison
from napari_lowdose.metrics import (
    Scored,
    css_between,
    data_range,
    noise_variance,
    residual_statistics,
    slope_and_intercept,
)
from napari_lowdose.metrics.fidelity import (
    mean_bias,
    squared_error,
    structural_similarity,
)
from napari_lowdose.metrics.reference import SSIM
from napari_lowdose.schema import checked
from napari_lowdose.stack import ArrayLike, Stack

LEAST_PX = 4
"""Rows and columns below which there is nothing to average over."""

_Found = Iterator[tuple[str, Scored]]


@dataclass(frozen=True)
class Region:
    """A box of a stack; each pair is the first index and the one after the last.

    Parameters
    ----------
    frames, rows, columns
        Of the stack's three axes.
    """

    frames: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]

    @classmethod
    def within(
        cls,
        shape: tuple[int, int, int],
        *,
        frame: int | None,
        rows: tuple[float, float],
        columns: tuple[float, float],
    ) -> Region:
        """Take what of a box lies in a stack, in whole pixels.

        Parameters
        ----------
        shape
            Of the stack.
        frame
            Which one; None: all.
        rows, columns
            Ends of the box, where the centre of the first pixel is 0.

        Raises
        ------
        ValueError
            If less than 4 x 4 pixels are left.
        """
        edges = []
        for ends, size in zip((rows, columns), shape[1:], strict=True):
            low, high = np.clip(np.floor(np.sort(ends) + 1), 0, size)
            edges.append((int(low), int(high)))
        height, width = (high - low for low, high in edges)
        if min(height, width) < LEAST_PX:
            raise ValueError(
                f"expected a region of at least {LEAST_PX} × {LEAST_PX} pixels of the "
                f"movie, got {height} × {width}; choose a larger one"
            )
        frames = (0, shape[0]) if frame is None else (frame, frame + 1)
        return cls(frames, edges[0], edges[1])

    @property
    def words(self) -> str:
        """Say which part it is: its size, and where in time."""
        height, width = (high - low for low, high in (self.rows, self.columns))
        first, end = self.frames
        when = f"frame {first}" if end - first == 1 else f"{end - first} frames"
        return f"{height} × {width} px, {when}"

    def of(self, data: ArrayLike) -> Real[ndarray, "t y x"]:
        """Copy this part of a stack's values."""
        t, y, x = (slice(*ends) for ends in (self.frames, self.rows, self.columns))
        return np.array(data[t, y, x])


@dataclass(frozen=True)
class RegionJudge:
    """Scores any part of what methods made of a stack.

    Parameters
    ----------
    noisy
        The stack that all of them denoised.
    truth
        Expected counts; None where nobody knows them.
    comparison
        Gain, offset and seed.
    """

    noisy: Stack
    truth: Stack | None = None
    comparison: Comparison = Comparison()  # noqa: RUF009 - frozen

    @cached_property
    def span(self) -> float:
        """The range of the whole truth, so that regions compare with one another."""
        return 0.0 if self.truth is None else data_range(np.asarray(self.truth.data[:]))

    def judged(self, results: Sequence[Result], region: Region) -> Iterator[Result]:
        """Score results as in `SCORES`, but in a region alone.

        What needs the method again, or spectra, is left out. PSNR and SSIM have the
        range of the whole truth, so a dark corner is not judged by its own contrast.

        Yields
        ------
        Result
            The results that have a stack, with the scores and standard errors of the
            region in place of their own.
        """
        noisy = region.of(self.noisy.data)
        truth = None if self.truth is None else region.of(self.truth.data)
        for result in results:
            if result.stack is None:
                continue
            untouched = result.kind is Kind.NOISY
            estimate = region.of(result.stack.data)
            found = dict(self._scores(estimate, None if untouched else noisy, truth))
            kept = {name: found[name] for name in SCORES if name in found}
            yield replace(
                result,
                scores={name: score.value for name, score in kept.items()},
                std_errors={name: score.std_error for name, score in kept.items()},
                tiles=(),  # of the whole movie
            )

    def _scores(
        self, estimate: ndarray, noisy: ndarray | None, truth: ndarray | None
    ) -> _Found:
        if truth is not None:
            yield from self._fidelity(estimate, truth)
        if noisy is not None:
            yield from self._residual(estimate, noisy)
        if len(estimate) > 1:
            (found,) = css_between(estimate, estimate, rng=self._rng())
            yield "css_plain", found

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(self.comparison.seed)

    def _fidelity(self, estimate: ndarray, truth: ndarray) -> _Found:
        """Compare with the truth; a flat part of it has no slope."""
        rng = self._rng()
        yield from squared_error(estimate, truth, rng, self.span).items()
        if SSIM.applies(estimate.shape):
            yield "ssim", structural_similarity(estimate, truth, rng, self.span)
        yield "bias", mean_bias(estimate, truth, rng)[0]
        if np.ptp(truth) > 0:
            slope, intercept = slope_and_intercept(estimate, truth, rng)
            yield from {"slope": slope, "intercept": intercept}.items()

    def _residual(self, estimate: ndarray, noisy: ndarray) -> _Found:
        """Look at what the estimate leaves of the counts."""
        how = self.comparison
        variance = noise_variance(estimate, gain=how.gain, offset=how.offset)
        if not variance.max() > 0:
            return
        seen = residual_statistics(noisy, estimate, variance, self._rng())
        yield from seen.by_name(len(estimate)).items()


def comparison_behind(results: Sequence[Result]) -> Comparison:
    """Put together what was asked for, as the recipes of the results tell.

    Models are named as their recipes do, without the folders of their files; results
    that failed have no recipe and are left out.
    """
    asked = [one for one in map(_asked, results) if one is not None]
    if not asked:
        return Comparison()
    several = ("baselines", "models", "estimates")
    merged = {
        name: tuple(dict.fromkeys(m for one in asked for m in getattr(one, name)))
        for name in several
    }
    with_model = next((one for one in asked if one.models), asked[0])
    return with_model.model_copy(update=merged)


def _asked(result: Result) -> Comparison | None:
    recipe: Sequence[Any] = () if result.stack is None else result.stack.recipe
    content = recipe[-1].get("comparison") if recipe else None
    return None if content is None else checked(Comparison, content)
