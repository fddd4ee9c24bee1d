"""The units of the noise, in which base models see any stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

_LEAST_LEVEL = 0.05


@dataclass(frozen=True)
class NoiseUnits:
    """Affine map from counts to units of the noise, and the noise at any brightness.

    Parameters
    ----------
    mean
        Counts that become 0: the stack's mean.
    std
        Counts that become 1: the standard deviation of the noise at the mean.
    gain
        Variance of the noise per count above the offset, in counts; 0 where the noise
        is alike everywhere.
    offset
        Counts above which the variance grows.
    readout_std
        Standard deviation of the noise at the offset, in counts.
    """

    mean: float
    std: float
    gain: float
    offset: float
    readout_std: float

    @classmethod
    def of_detector(
        cls, mean: float, *, gain: float, offset: float, readout_std: float
    ) -> NoiseUnits:
        """Take the noise from the numbers of a detector, all in counts.

        Raises
        ------
        ValueError
            If there would be no noise at the mean.
        """
        std = float(np.sqrt(gain * max(mean - offset, 0.0) + readout_std**2))
        if not 0 < std < np.inf:
            raise ValueError(
                f"expected noise at a mean of {mean:g} counts, got a gain of {gain:g}, "
                f"an offset of {offset:g} and a readout noise of {readout_std:g}; "
                "give the readout noise"
            )
        return cls(float(mean), std, float(gain), float(offset), float(readout_std))

    @property
    def slope(self) -> float:
        """Change of the noise's variance per unit of brightness, in units squared."""
        return self.gain / self.std

    def forward(self, counts: Real[ndarray, "..."]) -> Float[ndarray, "..."]:
        """Map counts to float32 units of the noise."""
        # Wide numbers may stand on an offset that single precision cannot hold.
        exact = counts.dtype.itemsize > 2 and counts.dtype != np.float32
        dtype = np.float64 if exact else np.float32
        values: ndarray = np.subtract(counts, self.mean, dtype=dtype)
        values /= dtype(self.std)
        return values.astype(np.float32, copy=False)

    def inverse(self, values: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        """Map units of the noise to float32 counts."""
        counts: ndarray = np.multiply(values, self.std, dtype=np.float32)
        counts += np.float32(self.mean)
        return counts

    def level(self, estimate: Real[ndarray, "..."]) -> Float[ndarray, "..."]:
        """Give the noise at an estimated brightness, in units of `std`.

        Parameters
        ----------
        estimate
            Brightness in counts, free of noise as far as may be.

        Returns
        -------
        ndarray
            Float32 standard deviations: 1 at the mean, at least 0.05 anywhere.
        """
        level: ndarray = np.subtract(estimate, self.offset, dtype=np.float32)
        # In units throughout, since single precision has no room for tiny squares.
        level /= np.float32(self.std)
        np.maximum(level, np.float32(0), out=level)
        level *= np.float32(self.slope)
        level += np.float32((self.readout_std / self.std) ** 2)
        np.maximum(level, np.float32(_LEAST_LEVEL**2), out=level)
        np.sqrt(level, out=level)
        return level
