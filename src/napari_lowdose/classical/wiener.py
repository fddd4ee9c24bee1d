"""The best linear filter for a stack, read off its own spectrum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int, Real
from numpy import ndarray
from scipy.fft import dctn, idctn

from napari_lowdose.classical.baseline import Baseline, Setting
from napari_lowdose.classical.usual_range import usual_range
from napari_lowdose.memory import mapped

# Bins of the spectrum, finer where it is low: along time, and across the frame.
_TIME_BINS, _FRAME_BINS = 32, 64
# Beyond this frequency, in parts of the highest one along a row, noise prevails.
_HIGH = 0.75
_BANDS = 4
_SIGMAS = 3.0  # by which a bin must stand out of the noise
# Too much noise is left more easily than too little signal: so much more is taken.
_MARGIN = 1.05


def denoise_wiener(
    stack: Real[ndarray, "t y x"], settings: Mapping[str, float] | None = None
) -> Float[ndarray, "t y x"]:
    """Weaken every frequency by its share of noise.

    The cosine transform's power is averaged over directions in the frame. White noise
    has the same power everywhere, also if its variance follows the brightness: what is
    left at high frequencies tells it. Each bin keeps the share of its power that is
    above, if that is certain, as the filter of N. Wiener does; no truth is needed.

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
    strength = 1.0 if settings is None else settings["strength"]
    mean = float(stack.mean(dtype=np.float64))
    exact = np.result_type(stack.dtype, np.float32)
    signal = mapped(stack.shape, np.float32)
    np.subtract(stack, mean, out=signal, dtype=exact, casting="same_kind")
    lowest, highest = usual_range(signal)
    np.clip(signal, lowest, highest, out=signal)
    spectrum = dctn(signal, norm="ortho", workers=-1, overwrite_x=True)
    frame_bins, time_bins = _bins(stack.shape)
    noise, power, count = _power(spectrum, frame_bins, time_bins)
    noise *= strength * _MARGIN
    certain = noise * (1 + _SIGMAS * np.sqrt(2 / np.maximum(count, 1)))
    kept = np.zeros_like(power)
    np.divide(power - noise, power, out=kept, where=power > certain)
    for frame, time_bin in zip(spectrum, time_bins, strict=True):
        frame *= kept[time_bin].astype(np.float32)[frame_bins]
    estimate: ndarray = idctn(spectrum, norm="ortho", workers=-1, overwrite_x=True)
    np.clip(estimate, lowest, highest, out=estimate)
    estimate += np.float32(mean)
    return estimate


def _bins(shape: tuple[int, ...]) -> tuple[Int[ndarray, "y x"], Int[ndarray, " t"]]:
    """Give each frequency its bin; low ones get fine ones."""
    n_frames, height, width = shape
    across = _radius(height, width) / 2**0.5
    along = np.arange(n_frames) / n_frames
    return (
        (_FRAME_BINS * np.sqrt(across)).astype(np.intp),
        (min(_TIME_BINS, n_frames) * np.sqrt(along)).astype(np.intp),
    )


def _radius(height: int, width: int) -> Float[ndarray, "y x"]:
    return np.hypot(np.arange(height)[:, None] / height, np.arange(width) / width)


def _power(
    spectrum: Float[ndarray, "t y x"],
    frame_bins: Int[ndarray, "y x"],
    time_bins: Int[ndarray, " t"],
) -> tuple[float, Float[ndarray, "m n"], Float[ndarray, "m n"]]:
    """Give the noise's power, the mean power of the bins, and how many are in each."""
    radius = _radius(*frame_bins.shape)
    high = radius >= min(_HIGH, radius.max())
    sums, counts = np.zeros((2, _TIME_BINS, _FRAME_BINS))
    at_high = np.empty(len(spectrum))
    flat = frame_bins.ravel()
    per_frame = np.bincount(flat, minlength=_FRAME_BINS)
    for number, (frame, time_bin) in enumerate(zip(spectrum, time_bins, strict=True)):
        power = np.square(frame)
        at_high[number] = power[high].mean(dtype=np.float64)
        sums[time_bin] += np.bincount(flat, power.ravel(), minlength=_FRAME_BINS)
        counts[time_bin] += per_frame
    # The quietest of some bands in time: what moves slowly may be sharp in the frame.
    bands = np.array_split(at_high, min(_BANDS, len(at_high)))
    noise = min(float(band.mean()) for band in bands)
    return noise, sums / np.maximum(counts, 1), counts


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
