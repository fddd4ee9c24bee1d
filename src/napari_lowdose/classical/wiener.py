"""The best linear filter for a stack, read off its own spectrum."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain, repeat

import cv2
import numpy as np
from jaxtyping import Bool, Float, Real
from numpy import ndarray
from scipy.fft import dctn, idctn
from scipy.special import chdtri

from napari_lowdose.classical.bands import Bands, radius
from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.usual_range import usual_range
from napari_lowdose.memory import mapped

_NUMBER = 32, 64  # of bands along time, and across the frame
# Beyond this frequency, in parts of the highest one along a row, noise prevails.
_HIGH = 0.75
_BANDS = 4
_SIGMAS = 3.0  # by which a band must stand out of the noise
_NEAR, _NEARBY = 3, 5  # edges of cubes of frequencies around each one
_CHANCE = 1e-7  # that noise alone has so much power around a frequency
# Too much noise is left more easily than too little signal: so much more is taken.
_MARGIN = 1.05


def denoise_wiener(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float] | None = None
) -> Float[ndarray, "t y x"]:
    """Weaken every frequency by its share of noise.

    White noise has the same power all over the cosine transform, also if its variance
    follows the brightness: what is left at high frequencies tells it. The scene's power
    is read off twice: averaged over directions in the frame, for what lies everywhere,
    and over the nearest frequencies, for what repeats, as lattices do. Of both the
    geometric mean is taken. Each frequency keeps the share of its power that is above
    the noise, if either is so for certain, as the filter of N. Wiener does. What that
    leaves tells the scene's power anew; the mean of both shares is kept. No truth is
    needed.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x); computed in float32.
    settings
        ``strength``: by how much the noise is taken to be larger than it is found to
        be; 1 where not given.

    References
    ----------
    N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series,
    1949. The cosine transform continues the stack by its mirror image.
    """
    mean = float(stack.mean(dtype=np.float64))
    exact = np.result_type(stack.dtype, np.float32)
    signal = mapped(stack.shape, np.float32)
    np.subtract(stack, mean, out=signal, dtype=exact, casting="same_kind")
    estimate = _filtered(signal, 1.0 if settings is None else settings["strength"])
    estimate += np.float32(mean)
    return estimate


def _filtered(signal: Float[ndarray, "t y x"], strength: float) -> ndarray:
    """Filter what is around zero, in the memory that it is in."""
    lowest, highest = usual_range(signal)
    np.clip(signal, lowest, highest, out=signal)
    spectrum = dctn(signal, norm="ortho", workers=-1, overwrite_x=True)
    filter_spectrum(spectrum, strength)
    estimate: ndarray = idctn(spectrum, norm="ortho", workers=-1, overwrite_x=True)
    return np.clip(estimate, lowest, highest, out=estimate)


def filter_spectrum(spectrum: Float[ndarray, "t y x"], strength: float = 1.0) -> None:
    """Weaken every frequency of a cosine transform, in place, by its share of noise."""
    bands = Bands.of(spectrum.shape, _NUMBER)
    count = np.maximum(bands.counts(), 1)
    power = bands.products(spectrum, spectrum) / count
    noise = noise_power(spectrum) * strength * _MARGIN
    certain = power > noise * (1 + _SIGMAS * np.sqrt(2 / count))
    usual = np.where(certain, power, noise).astype(np.float32)
    shares: deque[Float[ndarray, "y x"]] = deque()

    def left() -> Iterator[Float[ndarray, "y x"]]:
        for frame, near, nearby, band in zip(
            spectrum,
            _around(map(np.square, spectrum), _NEAR),
            _around(map(np.square, spectrum), _NEARBY),
            bands.along,
            strict=True,
        ):
            share = _share(near, nearby, usual[band][bands.across], noise)
            shares.append(share)
            yield np.square(share * frame)

    for frame, near in zip(spectrum, _around(left(), _NEAR), strict=True):
        frame *= (shares.popleft() + _over(near.power, near.power + noise)) / 2


@dataclass(frozen=True)
class _Around:
    """The mean power around each frequency of a frame of the spectrum.

    Parameters
    ----------
    power
        Of them.
    count
        How many it is the mean of.
    """

    power: Float[ndarray, "y x"]
    count: int

    def above(self, noise: float) -> Bool[ndarray, "y x"]:
        """Tell where noise alone would hardly have so much."""
        above: ndarray = self.power > noise * chdtri(self.count, _CHANCE) / self.count
        return above


def _around(powers: Iterable[Float[ndarray, "y x"]], edge: int) -> Iterator[_Around]:
    """Take means over cubes of frequencies, while frames come and may then change."""
    recent: deque[Float[ndarray, "y x"] | None] = deque(maxlen=edge)
    means = (cv2.blur(power, (edge, edge)) for power in powers)
    for number, mean in enumerate(chain(means, repeat(None, edge // 2))):
        recent.append(mean)
        if number >= edge // 2:
            there = [mean for mean in recent if mean is not None]
            yield _Around(reduce(np.add, there) / len(there), len(there) * edge**2)


def _share(
    near: _Around, nearby: _Around, usual: Float[ndarray, "y x"], noise: float
) -> Float[ndarray, "y x"]:
    """Tell which share of each frequency's power is the scene's."""
    power = np.sqrt(near.power * usual)
    certain = (usual > noise) | near.above(noise) | nearby.above(noise)
    return _over(np.maximum(power - noise, 0) * certain, power)


def _over(
    part: Float[ndarray, "y x"], whole: Float[ndarray, "y x"]
) -> Float[ndarray, "y x"]:
    """Divide; nothing is no part of nothing."""
    share: ndarray = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return share


def noise_power(spectrum: Float[ndarray, "t y x"]) -> float:
    """Read the power of white noise off a cosine transform, where it is highest."""
    frequencies = radius(*spectrum.shape[1:])
    high = frequencies >= min(_HIGH, frequencies.max())
    at_high = [np.square(frame[high]).mean(dtype=np.float64) for frame in spectrum]
    # The quietest of some bands in time: what moves slowly may be sharp in the frame.
    bands = np.array_split(at_high, min(_BANDS, len(at_high)))
    return min(float(band.mean()) for band in bands)


WIENER = Baseline(
    denoise=denoise_wiener,
    settings={
        "strength": Setting(
            coarse=(0.5, 1.0, 2.0),
            lowest=0.1,
            highest=10.0,
            sentence="By how much the noise is taken to be larger than it is found.",
        )
    },
    summary="Weaken every frequency of the stack by its share of noise.",
    temporal=True,
)
