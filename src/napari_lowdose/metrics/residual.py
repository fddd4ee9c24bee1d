"""What is left of the counts without the estimate, and whether it is noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Real
from numpy import ndarray

from napari_lowdose.metrics.blocks import block_bootstrap, mean_of, movie_sums, ratio
from napari_lowdose.metrics.metric import Score, Scored

# Of the largest variance: no voxel may weigh without bounds in a correlation.
_LEAST_SHARE = 1e-3


@dataclass(frozen=True)
class ResidualStatistics:
    """How the residual (counts minus estimate) compares with the noise.

    Parameters
    ----------
    mean
        In counts, 0 for noise.
    z_of_mean
        The mean over the standard error that the noise model gives it.
    chi2
        Mean square over the mean variance of the noise: 1 for noise, below it where the
        estimate follows the noise, above it where it misses the specimen.
    right, below, next_frame
        Correlation with the residual of the next pixel in x, in y and in the next
        frame; 0 for noise.
    """

    mean: Scored
    z_of_mean: Scored
    chi2: Scored
    right: Scored
    below: Scored
    next_frame: Scored

    def by_name(self, n_frames: int) -> Mapping[str, Scored]:
        """Give them under the names of `EVERY_SCORE`; one frame has no next."""
        found = {
            "residual_mean": self.mean,
            "residual_z": self.z_of_mean,
            "residual_chi2": self.chi2,
            "residual_right": self.right,
            "residual_below": self.below,
        }
        return {**found, "residual_next": self.next_frame} if n_frames > 1 else found


def residual_statistics(
    noisy: Real[ndarray, "t y x"],
    estimate: Real[ndarray, "_ _ _"],
    variance: Real[ndarray, "_ _ _"],
    rng: np.random.Generator,
) -> ResidualStatistics:
    """Compare what the estimate leaves of the counts with the noise model.

    Parameters
    ----------
    noisy, estimate
        Counts of shape (t, y, x).
    variance
        Of the noise at each voxel, in counts squared, as the noise model gives it for
        the estimate; see `noise_variance`.
    rng
        Draws tiles for the standard errors of the mean and of `chi2`. Those of the
        correlations are what independent noise gives: about one over the root of the
        number of voxels.

    Raises
    ------
    ValueError
        If shapes differ, or the variance is nowhere positive or somewhere negative.

    References
    ----------
    Notes on algorithms, section 23 (noise correlation).
    """
    if not noisy.shape == estimate.shape == variance.shape:
        raise ValueError(
            "expected counts, estimate and variance of one shape, got "
            f"{noisy.shape}, {estimate.shape} and {variance.shape}"
        )
    if not (variance.min() >= 0 and variance.max() > 0):
        raise ValueError(
            "expected a variance above zero, got values from "
            f"{variance.min():g} to {variance.max():g}; check gain and readout noise"
        )
    mean = mean_of(_residuals(noisy, estimate), rng)
    total_variance = float(variance.sum(dtype=np.float64))
    sums = movie_sums(
        (residual**2, expected.astype(np.float64))
        for residual, expected in zip(
            _residuals(noisy, estimate), variance, strict=True
        )
    )
    return ResidualStatistics(
        mean,
        Scored(mean.value * noisy.size / np.sqrt(total_variance), 1.0),
        block_bootstrap(sums, ratio, rng),
        *_correlations(_unit_residuals(noisy, estimate, variance)),
    )


def noise_variance(
    estimate: Real[ndarray, "t y x"],
    *,
    gain: float = 1.0,
    offset: float = 0.0,
    readout_std: float = 0.0,
) -> Float32[ndarray, "t y x"]:
    """Expect the variance of Poisson-Gaussian counts around an estimate.

    It is ``gain (estimate - offset) + readout_std^2``, in counts squared.
    """
    expected = estimate.astype(np.float32)
    expected -= np.float32(offset)
    np.maximum(expected, 0, out=expected)
    expected *= np.float32(gain)
    expected += np.float32(readout_std**2)
    return expected


def _residuals(noisy: ndarray, estimate: ndarray) -> Iterator[Float64[ndarray, "y x"]]:
    for counts, frame in zip(noisy, estimate, strict=True):
        yield np.subtract(counts, frame, dtype=np.float64)


def _unit_residuals(
    noisy: ndarray, estimate: ndarray, variance: ndarray
) -> Iterator[Float64[ndarray, "y x"]]:
    least = _LEAST_SHARE * float(variance.max())
    residuals = _residuals(noisy, estimate)
    for residual, expected in zip(residuals, variance, strict=True):
        unit = residual / np.sqrt(np.maximum(expected, least))
        yield unit - unit.mean()  # flicker of the beam is no structure


def _correlations(frames: Iterator[Float64[ndarray, "y x"]]) -> Iterator[Scored]:
    """Correlate with the next pixel in x, in y and in t."""
    power, before = 0.0, None
    products, squares = np.zeros(3), np.zeros(3)
    count, counts = 0, np.zeros(3)
    for frame in frames:
        power += float(np.sum(frame**2))
        count += frame.size
        pairs = [frame[:, 1:] * frame[:, :-1], frame[1:] * frame[:-1]]
        if before is not None:
            pairs.append(frame * before)
        for i, product in enumerate(pairs):
            products[i] += product.sum()
            squares[i] += np.sum(product**2)
            counts[i] += product.size
        before = frame
    for product, square, n in zip(products, squares, counts, strict=True):
        if not n or not power:
            yield Scored(np.nan)
            continue
        variance = power / count * n
        yield Scored(float(product / variance), float(np.sqrt(square) / variance))


_READ = (
    "An estimate that averages n voxels, this one with them, makes it slightly "
    "negative; noise that is itself correlated shows here, too."
)
RESIDUAL_MEAN = Score(
    unit="counts",
    higher_is_better=False,
    best=0.0,
    range="any number",
    summary="Mean of counts minus estimate. Any estimate of the right brightness has "
    "0, the noisy stack itself as well.",
)
RESIDUAL_Z = Score(
    unit="",
    higher_is_better=False,
    best=0.0,
    range="any number; -3 to 3 for noise",
    summary="Mean of counts minus estimate over its standard error by the noise model. "
    "In large stacks an error of brightness that matters to nobody is significant.",
)
RESIDUAL_CHI2 = Score(
    unit="",
    higher_is_better=False,
    best=1.0,
    range="from 0",
    summary="Mean square of counts minus estimate over the noise model's variance. "
    "Below 1 the estimate follows the noise, above 1 it misses the specimen, and both "
    "may cancel; a wrong gain looks like either.",
)
RESIDUAL_RIGHT, RESIDUAL_BELOW, RESIDUAL_NEXT = (
    Score(
        unit="",
        higher_is_better=False,
        best=0.0,
        range="-1 to 1",
        summary=f"Correlation of counts minus estimate with that of the next {where}: "
        f"above 0 where the estimate misses what is there. {_READ}",
    )
    for where in ("pixel in x", "pixel in y", "frame")
)
