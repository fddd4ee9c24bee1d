"""The error of an estimate, from the noisy counts that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real
from numpy import ndarray

from napari_lowdose.noise import NoiseUnits

Estimate = Callable[[Float[ndarray, "..."]], Real[ndarray, "..."]]

# How far counts are moved to see how the estimate follows, in deviations of the noise:
# a slope needs little; a curvature, of which e^2 is left, more.
_STEP, _LARGE_STEP = 0.02, 0.5
# Two values of mean 0, variance 1 and third moment 1, and the chance of the lower one.
_CHANCE = 0.5 + 0.5 / 5**0.5
_LOW, _HIGH = -((1 / _CHANCE - 1) ** 0.5), (1 / (1 / _CHANCE - 1)) ** 0.5


@dataclass(frozen=True)
class Probes:
    """Noisy counts, and copies moved a little at random, for any number of estimators.

    Parameters
    ----------
    counts
        What the estimates are made of, in float64.
    noise
        Gain, offset and readout noise of these counts.
    signs, skewed
        Directions in which counts are moved: of +-1, and skewed ones.
    """

    counts: Float[ndarray, "*shape"]
    noise: NoiseUnits
    signs: Int[ndarray, "*shape"]
    skewed: Float[ndarray, "*shape"]

    @classmethod
    def drawn(
        cls,
        counts: Real[ndarray, "..."],
        noise: NoiseUnits,
        rng: np.random.Generator,
    ) -> Probes:
        """Draw the directions."""
        signs = rng.integers(0, 2, counts.shape) * 2 - 1
        skewed = np.where(rng.random(counts.shape) < _CHANCE, _LOW, _HIGH)
        return cls(counts.astype(np.float64), noise, signs, skewed)

    def moved(self) -> Iterator[Float[ndarray, "..."]]:
        """Give all counts to be estimated from: as they are, and moved."""
        yield self.counts
        yield self.counts + self._step * self.signs
        if self._curved:
            yield self.counts + self._large_step * self.skewed
            yield self.counts - self._large_step * self.skewed

    def risk(self, estimates: Sequence[Real[ndarray, "..."]]) -> float:
        """Estimate the mean squared error of an estimator.

        Parameters
        ----------
        estimates
            What it makes of each of the `moved` counts, in their order.

        Returns
        -------
        float
            In counts squared; without bias, so that it may be below zero.
        """
        gain, readout_variance = self.noise.gain, self.noise.readout_std**2
        estimate = estimates[0].astype(np.float64)
        above = self.counts - self.noise.offset
        variance = gain * above + readout_variance
        slope = self.signs * (estimates[1] - estimate) / self._step
        risk = np.mean((estimate - self.counts) ** 2 - variance + 2 * variance * slope)
        if self._curved:
            bend = self.skewed * (estimates[2] - 2 * estimate + estimates[3])
            curvature = np.mean(bend) / self._large_step**2
            risk -= 2 * gain * readout_variance * curvature
        return float(risk)

    @property
    def _curved(self) -> bool:
        """Whether both kinds of noise are there, so that curvature matters."""
        return self.noise.gain > 0 and self.noise.readout_std > 0

    @property
    def _step(self) -> float:
        return _STEP * self.noise.std

    @property
    def _large_step(self) -> float:
        return _LARGE_STEP * self.noise.std


def pgure(
    denoise: Estimate,
    counts: Real[ndarray, "..."],
    *,
    gain: float,
    offset: float,
    readout_std: float,
    rng: np.random.Generator,
) -> float:
    """Estimate the mean squared error of a denoiser without the truth.

    With a gain of 0 it is Stein's unbiased risk estimate (SURE), without readout noise
    that for Poisson noise (PURE), else that for both (PGURE). It takes two runs of the
    denoiser, or four for both kinds of noise.

    Parameters
    ----------
    denoise
        Takes counts of the shape of `counts`; gives an estimate of the expected ones.
    counts
        Noisy counts of any shape, whose noise is independent from pixel to pixel.
    gain, offset, readout_std
        Of the detector, in counts.
    rng
        Chooses the directions in which counts are moved.

    Returns
    -------
    float
        In counts squared; without bias, so that it may be below zero.

    References
    ----------
    Y. Le Montagner, E. Angelini and J.-C. Olivo-Marin, IEEE Trans. Image Process. 23,
    1255 (2014), whose target lacks the offset; "Notes on algorithms", section 11. Here
    the offset is taken off first, and names keep the arguments from being swapped.
    """
    mean = float(np.mean(counts, dtype=np.float64))
    noise = NoiseUnits.of_detector(
        mean, gain=gain, offset=offset, readout_std=readout_std
    )
    probes = Probes.drawn(counts, noise, rng)
    return probes.risk([denoise(moved) for moved in probes.moved()])
