"""Maps of how much raw counts say for a spot at each place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex64, Float32, Float64, Real
from numpy import ndarray
from scipy import fft, ndimage

from napari_lowdose.config import Polarity
from napari_lowdose.particles.detection import signs_of
from napari_lowdose.particles.windows import gaussian_spots, square

_REACH = 4.0  # of a spot, in its deviations
# Amplitudes that are tried: from this evidence on, each so many times the one before.
_LEAST_EVIDENCE, _APART = 0.5, 1.7
# Shares that a dark spot takes of the quanta in its middle: below the first as above.
_SHALLOW, _DEEP = 0.5, (0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 0.998)
# The ring that the background is estimated in, in deviations of a spot.
_RING, _CORE = 4.0, 2.0
# On a ground without any quanta a single one would be evidence.
_LEAST_BACKGROUND = 0.01


def evidence_map(
    electrons: Real[ndarray, "t y x"],
    sigma_px: float,
    *,
    background: Real[ndarray, "t y x"] | float | None = None,
    readout_variance: float = 0.0,
    excess: float = 1.0,
    polarity: Polarity = Polarity.BRIGHT,
) -> Float32[ndarray, "t y x"]:
    """Map the root of the evidence for a spot at every place of every frame.

    It is the likelihood-ratio test of `fit_amplitude` at each pixel. For one ratio `c`
    of amplitude and background the log-likelihood ratio is a correlation of the counts
    with ``ln(1 + c h)``; ratios are tried, each 1.7 times the one before, and a
    parabola through the best three finds the maximum.

    Parameters
    ----------
    electrons
        Recorded quanta (t, y, x).
    sigma_px
        Standard deviation of the spots, in pixels.
    background
        Expected quanta per pixel without spots, above zero. Without it, the mean in a
        Gaussian ring of four times the size, which has noise and neighbours in it: good
        to look at, but not to count false alarms with.
    readout_variance, excess
        As in `test_spots`.
    polarity
        Bright spots, dark ones, or both.

    Returns
    -------
    numpy.ndarray
        ``sqrt(T)``, in deviations of noise; below zero for dark spots. In 128 x 128
        pixels of noise it reaches 4.3 in one frame of twenty, for a size of 1.5.

    Raises
    ------
    ValueError
        If the background is not above zero.

    References
    ----------
    Notes on algorithms, sections 28.1 and 28.3.
    """
    if background is None:
        behind = _ring_mean(electrons, sigma_px)
    else:
        behind = np.broadcast_to(np.asarray(background, np.float32), electrons.shape)
    behind = behind + np.float32(readout_variance)
    if not behind.min() > 0:
        raise ValueError(
            "expected a background above zero everywhere, got"
            f" {behind.min() - readout_variance:.3g}; give a floor such as 0.001 quanta"
        )
    electrons = np.asarray(electrons)
    found = np.zeros(electrons.shape, np.float32)
    for sign in signs_of(polarity):
        tried = _Tried.on(electrons.shape[1:], sigma_px)
        ratios = _bright(electrons, behind, tried) if sign > 0 else _dark(behind, tried)
        kernels, lost = tried.kernels(ratios), tried.lost(ratios)
        for t, frame in enumerate(electrons):
            excessive = frame - (behind[t] - np.float32(readout_variance))
            gain = tried.gain(excessive, behind[t], kernels, lost)
            best = _maximum(np.abs(ratios), gain)
            found[t] += sign * np.sqrt(best * np.float32(2 / excess))
    return found


def _ring_mean(
    electrons: Real[ndarray, "t y x"], sigma_px: float
) -> Float32[ndarray, "t y x"]:
    """Average over a wide Gaussian without its middle."""
    wide, core = _RING * sigma_px, _CORE * sigma_px
    # The middle is the wide Gaussian times the core's, again a Gaussian.
    narrow = 1 / np.hypot(1 / wide, 1 / core)
    share = np.float32((narrow / wide) ** 2)
    mean = np.empty(electrons.shape, np.float32)
    for t, frame in enumerate(electrons):
        counts = np.asarray(frame, np.float32)
        mean[t] = ndimage.gaussian_filter(counts, wide)
        mean[t] -= share * ndimage.gaussian_filter(counts, narrow)
    mean /= 1 - share
    return np.maximum(mean, np.float32(_LEAST_BACKGROUND), out=mean)


@dataclass(frozen=True)
class _Tried:
    """Amplitudes of one spot, in units of the background, tried by correlation.

    Parameters
    ----------
    spot
        Share of the spot in each pixel of a square.
    shape
        Of a frame.
    padded
        Of a frame with as much around it as the spot is wide.
    """

    spot: Float64[ndarray, "k k"]
    shape: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def on(cls, shape: tuple[int, ...], sigma_px: float) -> _Tried:
        reach = int(np.ceil(_REACH * sigma_px))
        offsets = square(reach)
        spot = gaussian_spots(np.zeros((1, 2)), np.array([sigma_px]), offsets)
        y, x = shape
        padded = tuple(fft.next_fast_len(n + 2 * reach, real=True) for n in (y, x))
        edge = 2 * reach + 1
        return cls(spot.reshape(edge, edge), (y, x), (padded[0], padded[1]))

    def transform(self, image: ndarray) -> Complex64[ndarray, "ky kx"]:
        found: ndarray = fft.rfft2(image.astype(np.float32), self.padded)
        return found

    def correlate(
        self, image: Complex64[ndarray, "ky kx"], kernel: Complex64[ndarray, "ky kx"]
    ) -> Float32[ndarray, "y x"]:
        # The kernels are symmetric: turned over they are the same.
        reach = len(self.spot) // 2
        full: ndarray = fft.irfft2(image * kernel, self.padded)
        return full[reach : reach + self.shape[0], reach : reach + self.shape[1]]

    def kernels(self, ratios: Float64[ndarray, " c"]) -> list[ndarray]:
        return [self.transform(np.log1p(c * self.spot)) for c in ratios]

    def lost(self, ratios: Float64[ndarray, " c"]) -> Float32[ndarray, "c y x"]:
        """Give what each ratio is expected to lose on noise, per quantum behind.

        What is off the frame was not looked at, and has no say.
        """
        frame = self.transform(np.ones(self.shape))
        each = [np.log1p(c * self.spot) - c * self.spot for c in ratios]
        return np.stack([self.correlate(frame, self.transform(k)) for k in each])

    def gain(
        self,
        excessive: ndarray,
        behind: ndarray,
        kernels: list[ndarray],
        lost: Float32[ndarray, "c y x"],
    ) -> Float32[ndarray, "c1 y x"]:
        """Give the log-likelihood ratio of no spot, which is 0, and of each ratio.

        ``sum((k - b) ln(1 + c h)) + b sum(ln(1 + c h) - c h)``: the first sum is about
        zero on noise, also where the background is not the same all over the spot.
        """
        image = self.transform(excessive)
        gain = np.zeros((len(kernels) + 1, *self.shape), np.float32)
        for number, kernel in enumerate(kernels):
            np.multiply(behind, lost[number], out=gain[number + 1])
            gain[number + 1] += self.correlate(image, kernel)
        return gain


def _bright(
    electrons: Real[ndarray, "t y x"], behind: Float32[ndarray, "t y x"], tried: _Tried
) -> Float64[ndarray, " c"]:
    """Choose ratios up to the brightest spot that the counts can hold."""
    edge = len(tried.spot)
    means = (
        ndimage.uniform_filter(frame.astype(np.float32), edge, mode="constant")
        for frame in electrons
    )
    most = max(float(mean.max()) for mean in means) * edge**2
    least = _faintest(behind, tried)
    highest = max(2 * most / float(behind.min()), _APART * least)
    n = int(np.ceil(np.log(highest / least) / np.log(_APART)))
    found: ndarray = least * _APART ** np.arange(n + 1)
    return found


def _dark(behind: Float32[ndarray, "t y x"], tried: _Tried) -> Float64[ndarray, " c"]:
    """Choose ratios down to a spot that leaves nothing in its middle."""
    deepest = 1 / float(tried.spot.max())
    least = min(_faintest(behind, tried) / deepest, _SHALLOW)
    n = int(np.ceil(np.log(_SHALLOW / least) / np.log(_APART)))
    shares = np.concatenate([_SHALLOW / _APART ** np.arange(n, 0, -1.0), _DEEP])
    return -deepest * shares


def _faintest(behind: Float32[ndarray, "t y x"], tried: _Tried) -> float:
    """Give the ratio that is expected to have little evidence where there is most."""
    most = float(behind.max())
    return float(np.sqrt(_LEAST_EVIDENCE / (most * np.sum(tried.spot**2))))


def _maximum(
    ratios: Float64[ndarray, " c"], gain: Float32[ndarray, "c1 y x"]
) -> Float32[ndarray, "y x"]:
    """Find the top of the parabola through the best ratio and its neighbours."""
    tried = np.concatenate([[0.0], ratios])
    best = np.clip(np.argmax(gain, axis=0), 1, len(ratios) - 1)
    low, mid, high = (
        np.take_along_axis(gain, (best + step)[None], axis=0)[0] for step in (-1, 0, 1)
    )
    below = (tried[1:-1] - tried[:-2]).astype(np.float32)[best - 1]
    above = (tried[2:] - tried[1:-1]).astype(np.float32)[best - 1]
    rise, fall = (mid - low) / below, (high - mid) / above
    curve = (rise - fall) / (above + below)  # half the second derivative, negative
    slope = (rise * above + fall * below) / (above + below)
    curve = np.where(curve > 0, curve, np.inf)
    place = slope / (2 * curve)
    within = (place > -below) & (place < above)
    top = np.where(within, mid + slope**2 / (4 * curve), gain.max(axis=0))
    highest: ndarray = np.maximum(top, 0)
    return highest
