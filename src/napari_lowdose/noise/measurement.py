"""What was read of the noise of a stack, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float
from numpy import ndarray

# Above it, a network that predicts a pixel from its neighbours predicts their noise.
_SHARED = 0.03
_LAGGED = 0.05
_VISIBLE = 0.1
_TOLD = 0.25  # half of an interval of the gain, over the gain


class Source(StrEnum):
    """Where a number of a detector comes from."""

    MEASURED = "measured"  # from the stack itself
    CALIBRATED = "calibrated"  # from dark or flat frames
    GIVEN = "given"  # by the user
    ASSUMED = "assumed"  # the stack does not tell


@dataclass(frozen=True)
class Measured:
    """A number with the interval that holds the true one in 95 of 100 cases."""

    value: float
    low: float
    high: float
    source: Source = Source.MEASURED


@dataclass(frozen=True)
class PhotonTransfer:
    """How the variance of the noise follows the mean: one entry per bin of brightness.

    Parameters
    ----------
    mean
        In counts.
    variance, variance_std
        Of single pixels, and its standard error; in counts squared.
    slope, intercept
        The straight line through them, in counts and in counts squared.
    """

    mean: Float[ndarray, " n"]
    variance: Float[ndarray, " n"]
    variance_std: Float[ndarray, " n"]
    slope: float
    intercept: float


@dataclass(frozen=True)
class NoiseMeasurement:
    """The detector and the dose of a stack.

    Parameters
    ----------
    gain
        Counts per electron or photon.
    offset
        Counts in the dark.
    readout_std
        Standard deviation of the readout noise, in counts.
    dose
        Mean electrons or photons per pixel per frame.
    transfer
        The photon-transfer curve that `gain` and `readout_std` were read from.
    correlation
        Of the noise with that of pixels up to two away in y and x; 1 at the centre.
    lags
        Of the noise with that of the same pixel 0, 1, 2, ... frames later; 1 first.
    counting
        Whether the counts are whole electrons, but for gain and offset.
    saturated, clipped
        Shares of the values that stand at the highest and at the lowest one, where that
        is where the detector ends and not where the specimen does.
    drift
        Relative change of the dose over the stack, as a share of the mean.
    defects
        Share of the pixels that are hot, dead or stuck.
    correlation_std
        Standard error of an entry of `correlation`.
    motion
        By how much moving things may have raised the entries of `correlation`; 1 where
        the scene changes too much to tell noise from it.
    n_frames
        From how many frames it was read; 0 where that is not known.
    alike
        Whether neighbouring frames show the same scene; if not, the noise was read
        within each frame.
    """

    gain: Measured
    offset: Measured
    readout_std: Measured
    dose: Measured
    transfer: PhotonTransfer
    correlation: Float[ndarray, "5 5"]
    lags: Float[ndarray, " lags"]
    counting: bool
    saturated: float = 0.0
    clipped: float = 0.0
    drift: float = 0.0
    defects: float = 0.0
    correlation_std: float = 0.0
    motion: float = 0.0
    n_frames: int = 0
    alike: bool = True

    @property
    def correlated(self) -> bool:
        """Whether pixels share noise, more than chance or motion make them."""
        return shares_noise(self.correlation, self.correlation_std, motion=self.motion)

    @property
    def correlation_told(self) -> bool:
        """Whether it was seen that neighbours share noise, or that they do not."""
        if not self.alike or shares_noise(self.correlation, self.correlation_std):
            return self.correlated
        return 4 * self.correlation_std < _VISIBLE

    @property
    def gain_told(self) -> bool:
        """Whether the gain is known to a quarter, and so of use."""
        gain = self.gain
        return gain.value > 0 and gain.high - gain.low <= 2 * _TOLD * gain.value

    @property
    def lag_shared(self) -> bool:
        """Whether frames share noise with the next one."""
        return len(self.lags) > 1 and float(self.lags[1]) > _LAGGED

    @property
    def shared(self) -> float:
        """The noise of a large area over that of as many independent pixels."""
        return float(self.correlation.sum())


def shares_noise(
    correlation: Float[ndarray, "5 5"], std: float, *, motion: float = 0.0
) -> bool:
    """Tell whether a map of correlations is more than chance and motion make it."""
    around = np.delete(np.abs(correlation).ravel(), 12)
    return bool(around.max() - motion > max(_SHARED, 4 * std))
