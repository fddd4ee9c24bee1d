"""The photon-transfer curve: how the cumulants of the noise follow the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.cells import Cells
from napari_lowdose.noise.measurement import PhotonTransfer

_OUTLYING = 4.0  # standard deviations; the few good ones beyond bend nothing
_N_ROUNDS = 6
_N_RESAMPLED = 200
_FEWEST = 30  # pixels of a level
_UNKNOWN = 100.0  # counts of a slope that one level cannot tell, per noise
_FEW_FREE = 2000  # pixels off the ends of the scale that tell too little
_LEAST = 0.02  # of the mean variance: no line is trusted below
# What the specimen may do, beside chance, to slope, third and fourth cumulant.
_DOUBT = np.array([0.005, 0.0, 0.01, 0.02])


@dataclass(frozen=True)
class Moments:
    """What the pixels tell of the detector, and how surely.

    Parameters
    ----------
    transfer
        The points, and the line through them.
    mean, variance, third, fourth
        Cumulants of single pixels, averaged over the pixels used.
    covariance
        Of slope, variance, third and fourth cumulant at that mean.
    darkest
        Mean of the darkest level.
    """

    transfer: PhotonTransfer
    mean: float
    variance: float
    third: float
    fourth: float
    covariance: Float[ndarray, "4 4"]
    darkest: float

    @property
    def slope(self) -> float:
        """Of the photon-transfer curve, in counts."""
        return self.transfer.slope

    @property
    def slope_std(self) -> float:
        """Its standard error."""
        return float(np.sqrt(self.covariance[0, 0]))

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise, in counts."""
        return float(np.sqrt(self.variance))

    @property
    def variance_std(self) -> float:
        """Standard error of `variance`."""
        return float(np.sqrt(self.covariance[1, 1]))


def summarize(
    cells: Cells, *, pivot: float = 0.0, ends: tuple[float, float] = (-np.inf, np.inf)
) -> Moments:
    """Fit the line through all levels, leaving out pieces that moved.

    The levels were chosen without the noise, so that averages over them bend neither
    the slope nor the intercept, however few the counts.

    Parameters
    ----------
    cells
        Sums over pieces of the stack.
    pivot
        Counts that were taken off all values.
    ends
        Where the detector's scale ends; levels that come near are left out.

    Raises
    ------
    UnusableStack
        If no level holds pixels enough.
    """
    cells = _off_the_ends(cells, ends[0] - pivot, ends[1] - pivot)
    weights, line = _robust(cells)
    sums = _plentiful(weights * cells.sums)
    if not sums.size:  # all differ too much: moving throughout
        sums = _plentiful(cells.sums)
    if not sums.size:
        raise UnusableStack(
            "expected places that look alike in neighbouring frames to read the noise "
            "from, found too few; give a larger crop or more frames"
        )
    total = sums.sum(axis=1)
    n, mean = total[0], total[1] / total[0]
    level_weights = n / _predicted(line, mean, total[2].sum() / n.sum()) ** 2
    best = _fitted(total, level_weights)
    resampled = _resampled(sums)
    resampled = resampled[resampled[:, 0].sum(axis=1) > 0]
    # Pieces differ in brightness, which is no doubt about the detector.
    fits = np.array([_fitted(each, level_weights) for each in resampled])
    for power in (1, 2, 3):
        fits[:, 1 + power] -= best[0] ** power * (fits[:, 1] - best[1])
    n_cells = sums.shape[1]
    covariance = np.cov(fits[:, [0, 2, 3, 4]].T) * n_cells / max(n_cells - 1, 1)
    variance = total[2] / n
    with np.errstate(invalid="ignore", divide="ignore"):
        scatter = np.nanstd(resampled[:, 2] / resampled[:, 0], axis=0)
    intercept = best[2] - best[0] * best[1]
    misfit = (variance - best[0] * mean - intercept) / np.maximum(scatter, 1e-30)
    worse = np.sqrt(max(np.sum(misfit**2) / max(len(n) - 2, 1), 1.0))
    covariance *= np.outer([worse, 1, 1, 1], [worse, 1, 1, 1])
    covariance += np.diag((np.array(best)[[0, 2, 3, 4]] * _DOUBT) ** 2)
    unknown = (_UNKNOWN**2 * best[2] if len(n) < 2 else 0.0, 2 * best[2] ** 2 / n.sum())
    covariance += np.diag(np.full(4, 1e-30))
    for place, least in enumerate(unknown):
        covariance[place, place] = max(covariance[place, place], least)
    transfer = PhotonTransfer(
        mean + pivot, variance, scatter, best[0], intercept - best[0] * pivot
    )
    darkest = float(mean.min()) + pivot
    return Moments(transfer, best[1] + pivot, *best[2:], covariance, darkest)


def _plentiful(sums: Float[ndarray, "5 cells n"]) -> Float[ndarray, "5 cells m"]:
    """Keep levels of many pixels; one for all, if none has so many."""
    kept: ndarray = sums[..., sums[0].sum(axis=0) > _FEWEST]
    if kept.size:
        return kept
    together = sums.sum(axis=2, keepdims=True)
    kept = together[..., together[0].sum(axis=0) > _FEWEST]
    return kept


def _resampled(sums: Float[ndarray, "5 cells n"]) -> Float[ndarray, "b 5 n"]:
    """Draw cells again and again, as if the stack had been recorded anew."""
    # A fixed seed: the same stack gives the same intervals.
    rng = np.random.default_rng(0)
    n_cells = sums.shape[1]
    copies = rng.multinomial(n_cells, np.full(n_cells, 1 / n_cells), _N_RESAMPLED)
    return np.tensordot(copies.astype(float), sums, axes=(1, 1))


def _fitted(
    total: Float[ndarray, "5 n"], weights: Float[ndarray, " n"]
) -> tuple[float, float, float, float, float]:
    """Fit the slope; average mean, variance, third and fourth cumulant."""
    here = total[0] > 0
    n, mean, variance, *_ = total = total[:, here]
    x, y, w = mean / n, variance / n, weights[here] / weights[here].sum()
    x_mean, y_mean = (w * x).sum(), (w * y).sum()
    spread = (w * (x - x_mean) ** 2).sum()
    slope = (w * (x - x_mean) * (y - y_mean)).sum() / spread if spread > 0 else 0.0
    averages = total[1:].sum(axis=1) / n.sum()
    return float(slope), *(float(average) for average in averages)  # type: ignore[return-value]


def _robust(
    cells: Cells,
) -> tuple[Float[ndarray, "cells levels"], Float[ndarray, " 2"]]:
    """Leave out cells that vary more, or less, than the line and chance say."""
    here = cells.n > 0
    n = np.where(here, cells.n, 1)
    mean, variance = cells.mean / n, cells.variance / n
    typical = cells.variance.sum() / max(cells.n.sum(), 1)
    weights, line = np.where(here, 1.0, 0.0), np.array([0.0, typical])
    judged = cells.n > _FEWEST
    lively = judged & (cells.variance > 0)  # an empty ground has no chance to judge by
    for _ in range(_N_ROUNDS):
        line = _line(weights * cells.sums, line, typical)
        ratio = np.maximum(variance / _predicted(line, mean, typical), 0)
        off = np.abs(ratio - 1) * np.sqrt(n)
        scale = 1.4826 * np.median(off[lively]) if lively.any() else 1.0
        # The cube root of a variance is nearly Gaussian (E. B. Wilson and M. M.
        # Hilferty, 1931); to cut off variances themselves would cut off high ones.
        spread = np.square(max(scale, 1e-3)) / (9 * n)
        z = (np.cbrt(ratio) - (1 - spread)) / np.sqrt(spread)
        weights = np.where(here & ~(judged & (np.abs(z) > _OUTLYING)), 1.0, 0.0)
    return weights, line


def _line(
    sums: Float[ndarray, "5 cells n"], line: Float[ndarray, " 2"], typical: float
) -> Float[ndarray, " 2"]:
    """Fit slope and intercept, with weights from the line before."""
    total = sums.sum(axis=1)
    n, mean, variance = total[:3, total[0] > _FEWEST]
    mean, variance = mean / n, variance / n
    weights = n / _predicted(line, mean, typical) ** 2
    if len(n) < 2 or np.ptp(mean) <= 0:
        return np.array([0.0, typical])
    return np.polyfit(mean, variance, 1, w=np.sqrt(weights))


def _predicted(
    line: Float[ndarray, " 2"], mean: Float[ndarray, "..."], typical: float
) -> Float[ndarray, "..."]:
    """Give the line's variance, nowhere next to nothing."""
    return np.maximum(np.polyval(line, mean), max(_LEAST * typical, 1e-30))


def _off_the_ends(cells: Cells, low: float, high: float) -> Cells:
    """Leave out levels whose noise is cut off, unless nearly all are."""
    n = np.maximum(cells.n.sum(axis=0), 1)
    mean = cells.mean.sum(axis=0) / n
    reach = 3 * np.sqrt(np.maximum(cells.variance.sum(axis=0) / n, 0))
    free = (cells.n.sum(axis=0) > 0) & (mean - reach > low) & (mean + reach < high)
    few = cells.n[:, free].sum() < min(_FEW_FREE, cells.n.sum() / 2)
    return cells if few or free.sum() < 2 else Cells(*cells.sums[..., free])
