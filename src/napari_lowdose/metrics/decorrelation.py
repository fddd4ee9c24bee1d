"""Image decorrelation analysis: how fine a single image is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Real
from numpy import ndarray
from scipy import fft

from napari_lowdose.metrics.metric import Score

_BINS = 2000  # of the radius, fine enough to be added up to any
_RADII = 50
_WIDTHS = 10
_NARROWEST_PX = 0.15
_LEAST_RISE = 1e-3  # above what follows, for a peak
_LEAST_HEIGHT = 0.05
_RIM_PX = 20
_LEAST_PX = 32


@dataclass(frozen=True)
class Decorrelation:
    """Where the phases of an image stop to carry structure.

    Parameters
    ----------
    radius
        Cut-off as a share of the Nyquist frequency, between 0 and 1; 0 where noise
        hides it.
    height
        Of the peak there, up to 1.
    """

    radius: float
    height: float

    def resolution(self, pixel_size: float = 1.0) -> float:
        """Give the finest detail, ``2 pixel_size / radius``; infinite if none."""
        return 2 * pixel_size / self.radius if self.radius else np.inf


def decorrelation(image: Real[ndarray, "y x"]) -> Decorrelation:
    """Find the finest detail of one image from its phases.

    The image is correlated with its own phases alone, within a growing radius: the
    correlation rises while there is structure and falls where noise begins. The same
    is done after high-pass filters of ten widths; the furthest peak counts.

    Parameters
    ----------
    image
        Counts (y, x), raw or after a linear filter. Networks and other regularisation
        leave a spectrum whose cut-off is the method's, not the specimen's.

    Raises
    ------
    ValueError
        If the image has less than 32 pixels along an axis or no contrast.

    References
    ----------
    A. Descloux, K. S. Grussmayer and A. Radenovic, Nat. Methods 16, 918 (2019). Filters
    act on sums over rings, so that one Fourier transform is enough.
    """
    if min(image.shape) < _LEAST_PX:
        raise ValueError(
            f"expected an image of at least {_LEAST_PX} x {_LEAST_PX} pixels, got "
            f"{image.shape[0]} x {image.shape[1]}"
        )
    amplitude, power, pixels = _ring_sums(image)

    def peak(width_px: float, radii: Float64[ndarray, " r"]) -> tuple[float, float]:
        curve = _curve(amplitude, power, pixels, width_px, radii)
        return _last_peak(radii, curve)

    radii = np.linspace(0, 1, _RADII)
    whole = peak(np.inf, radii)
    widest = 2 / whole[0] if whole[0] else min(image.shape) / 4
    widths = np.geomspace(widest, _NARROWEST_PX, _WIDTHS)
    found = [whole, *(peak(width, radii) for width in widths)]
    best = max(range(len(found)), key=lambda i: _rank(found[i]))
    if not _rank(found[best])[0]:
        return Decorrelation(0.0, 0.0)
    near = widths[max(best - 2, 0)], widths[min(best, _WIDTHS - 1)]
    r = found[best][0]
    closer = np.linspace(max(r - 0.05, 0), min(r + 0.3, 1), _RADII)
    found += [peak(width, closer) for width in np.geomspace(*near, _WIDTHS)]
    found += [peak(np.inf, closer)]
    return Decorrelation(*max(found, key=_rank))


def _rank(peak: tuple[float, float]) -> tuple[float, float]:
    radius, height = peak
    return (radius, height) if height >= _LEAST_HEIGHT else (0.0, height)


def _ring_sums(image: ndarray) -> Float64[ndarray, "3 bin"]:
    """Sum amplitude, power and number of Fourier pixels over fine rings."""
    odd = image[: image.shape[0] - 1 + image.shape[0] % 2]
    odd = odd[:, : odd.shape[1] - 1 + odd.shape[1] % 2].astype(np.float64)
    odd = odd - odd.mean()
    deviation = odd.std()
    if not deviation > 0:
        raise ValueError(
            f"expected an image with contrast, but every value is {image.flat[0]:g}"
        )
    faded = odd / deviation * _fade(len(odd))[:, None] * _fade(odd.shape[1])
    amplitude = np.abs(fft.rfft2(faded, workers=2))
    rows = fft.fftfreq(len(odd))[:, None]
    radius = 2 * np.hypot(rows, fft.rfftfreq(odd.shape[1]))
    twice = np.full(amplitude.shape, 2.0)
    twice[:, 0] = 1  # odd sizes: no other column is its own mirror image
    twice[0, 0] = 0
    number = np.minimum((radius * _BINS).astype(np.intp), _BINS).ravel()
    sums = [
        np.bincount(number, values.ravel(), minlength=_BINS + 1)[:_BINS]
        for values in (twice * amplitude, twice * amplitude**2, twice)
    ]
    return np.array(sums)


def _fade(n: int) -> Float64[ndarray, " n"]:
    """Fall smoothly to zero over 20 pixels at both ends, or an eighth of a few."""
    rim = min(_RIM_PX, n // 8)
    ramp = (1 - np.cos(np.pi * (np.arange(rim) + 0.5) / rim)) / 2
    return np.concatenate([ramp, np.ones(n - 2 * rim), ramp[::-1]])


def _curve(
    amplitude: Float64[ndarray, " bin"],
    power: Float64[ndarray, " bin"],
    pixels: Float64[ndarray, " bin"],
    width_px: float,
    radii: Float64[ndarray, " r"],
) -> Float64[ndarray, " r"]:
    """Correlate the image, less its Gaussian blur, with its phases inside radii."""
    centre = (np.arange(_BINS) + 0.5) / _BINS
    kept = np.ones(_BINS)
    if np.isfinite(width_px):
        kept = 1 - np.exp(-((np.pi * width_px * centre) ** 2) / 2)
    inside = np.concatenate([[0.0], np.cumsum(amplitude * kept)])
    number = np.concatenate([[0.0], np.cumsum(pixels)])
    place = np.rint(radii * _BINS).astype(int)
    norm = np.sqrt(np.sum(power * kept**2) * number[place])
    curve: ndarray = inside[place] / np.where(norm > 0, norm, 1)
    return curve


def _last_peak(
    radii: Float64[ndarray, " r"], curve: Float64[ndarray, " r"]
) -> tuple[float, float]:
    """Find the highest point that is a peak; the end of a rising curve is none."""
    end = len(curve)
    while end > 1:
        i = int(np.argmax(curve[:end]))
        if i < end - 1 and curve[i] - curve[i:end].min() > _LEAST_RISE:
            return float(radii[i]), float(curve[i])
        end -= 1
    return 0.0, 0.0


DECORRELATION = Score(
    unit="Nyquist",
    higher_is_better=True,
    range="0 to 1",
    summary="Share of the Nyquist frequency up to which single noisy frames show "
    "structure, from their phases; a property of the recording, for comparison. 0 "
    "where noise hides everything; correlated noise is taken for structure, and on "
    "denoised images it would measure the filter.",
)
