"""The units of the noise, in which base models see any stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.estimate import measure_noise
from napari_lowdose.noise.measurement import Measured, NoiseMeasurement
from napari_lowdose.noise.tiles import TILE_PX, VarianceLine, rough_line

TRAINED_DOSE = (0.3, 100.0)
"""Quanta per pixel and frame that base models are trained for."""

_MOST_FRAMES = 60
_MOST_VALUES = 1_000_000
_LEAST_PX = 32  # of a window
_LEAST_LEVEL = 0.05
# Of the stack's own deviation; sparse bright specimens at high doses come near.
_LEAST_NOISE = 0.005
_TELLING = 0.6  # half of an interval of the gain that is better than no gain at all
_MOST_SHARED = 25.0  # as if all pixels of the map were one
_JUMPY = 0.85  # of the measured deviation, below which motion had a part in that
_JUMPY_COUNTS = 0.7  # the same for a detector that counts, whose noise is better known
_HIDDEN = 1.3  # of the measured deviation, above which that missed all that is bright
_FEWEST_QUANTA = 2  # of a tile whose variance has a median that means something
_LAGGED = 0.2  # correlation with the next frame that things that move do not make
_NOTABLE = 1e-3  # share of pixels or values


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


def read_noise_units(
    stack: Real[ndarray, "t y x"],
) -> tuple[NoiseUnits, tuple[str, ...]]:
    """Read off a stack the units in which a base model sees it.

    Where pixels share noise with their neighbours or with later frames, `std` is the
    noise of large areas over that of as many independent pixels; single pixels vary
    less.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x). The mean is that of all of them; the noise is read
        off at most 60 frames in a row, and off windows of them where they are large.

    Returns
    -------
    units
        The map to units of the noise, and the noise at any brightness.
    notes
        Sentences that the user should read before trusting a base model.

    Raises
    ------
    UnusableStack
        If a value is NaN or infinite, or all are equal.
    """
    mean, sample = _mean(stack), _sample(stack)
    spread = _spread(sample) or _spread(stack)
    if not spread > 0:
        raise UnusableStack(
            f"expected a stack with noise, but every value is {mean:g}; "
            "check the file, the channel or the crop"
        )
    # A power of two changes no digit: the noise is read alike in any unit.
    unit = 2.0 ** round(np.log2(spread)) if sample.dtype.kind == "f" else 1.0
    if unit != 1:
        sample = sample.astype(np.promote_types(sample.dtype, np.float32)) / unit
    measured = _measured(sample)
    line = _line(sample, measured, mean / unit).scaled(unit)
    least = (_LEAST_NOISE * spread) ** 2
    faint = line.variance < least
    if faint:
        line = VarianceLine(0.0, least)
    offset = measured.offset.value * unit if measured else 0.0
    notes = _notes(measured, len(stack), faint=faint)
    return _units(mean, line, offset), tuple(notes)


def _units(mean: float, line: VarianceLine, offset: float) -> NoiseUnits:
    """Find the detector whose noise follows a line; its offset where that fits."""
    counted = line.slope * max(mean - offset, 0.0)
    if counted > line.variance:
        offset, counted = mean - line.variance / line.slope, line.variance
    readout_std = float(np.sqrt(line.variance - counted))
    std = float(np.sqrt(line.variance))
    return NoiseUnits(mean, std, line.slope, offset, readout_std)


def _line(
    sample: Real[ndarray, "t y x"], measured: NoiseMeasurement | None, mean: float
) -> VarianceLine:
    """Choose the measured line, or a rougher one that jumping things do not raise."""
    rough = rough_line(sample, mean)
    if measured is None:
        return rough
    line = _measured_line(measured, mean)
    # The median over tiles means something where these hold some quanta.
    clear = TILE_PX**2 * rough.variance > _FEWEST_QUANTA * line.slope**2
    comparable = clear and len(sample) > 1 and measured.alike
    limit = _JUMPY_COUNTS if measured.counting else _JUMPY
    jumpy = rough.variance < limit**2 * line.variance
    # A line without slope may be that of an empty ground, where alone nothing moved.
    hidden = not line.slope and rough.variance > _HIDDEN**2 * line.variance
    rougher = comparable and (jumpy or hidden)
    shared = _shared(measured) * (1.0 if rougher else _lagging(measured))
    line = rough if rougher else line
    return VarianceLine(line.slope * shared, line.variance * shared)


def _measured_line(measured: NoiseMeasurement, mean: float) -> VarianceLine:
    """Read a line off a measurement."""
    gain, transfer = measured.gain, measured.transfer
    slope = gain.value if gain.high - gain.low < 2 * _TELLING * gain.value else 0.0
    variance = transfer.slope * mean + transfer.intercept
    if measured.counting:
        variance = gain.value * (mean - measured.offset.value)
        variance += measured.readout_std.value**2
    if not variance > 0:
        variance = float(transfer.variance[np.abs(transfer.mean - mean).argmin()])
    return VarianceLine(slope, max(variance, 0.0))


def _shared(measured: NoiseMeasurement) -> float:
    """Give the variance of large areas over that of as many independent pixels.

    A filter keeps of each spatial frequency as much as signal stands out of noise, and
    specimens have next to nothing at high ones. So what matters is the noise at low
    frequencies, where blurred noise gathers: with the deviation of a single pixel, a
    denoiser for white noise takes blotches for specimen. (Thresholds on cosine
    transforms had 1 to 1.6 times the least error with the one, 1.4 to 16 times with
    the other, on blurred noise over five specimens.)
    """
    shared = measured.shared if measured.correlated else 1.0
    return float(np.clip(shared, 1.0, _MOST_SHARED))


def _lagging(measured: NoiseMeasurement) -> float:
    """Give the variance over long times over what differences of frames show of it."""
    if not _lagged(measured):
        return 1.0
    lags = np.maximum(measured.lags[1:], 0.0)
    seen = 1 - 4 / 3 * lags[0] + (lags[1] / 3 if len(lags) > 1 else 0.0)
    return float((1 + 2 * lags.sum()) / max(seen, 0.1))


def _lagged(measured: NoiseMeasurement) -> bool:
    """Tell whether frames share noise for certain; whole counts share none."""
    seen = len(measured.lags) > 1 and float(measured.lags[1]) > _LAGGED
    return seen and not measured.counting


def _measured(sample: Real[ndarray, "t y x"]) -> NoiseMeasurement | None:
    """Measure the noise, where that can be done."""
    try:
        return measure_noise(sample)
    except UnusableStack:
        return None


def _mean(stack: Real[ndarray, "t y x"]) -> float:
    """Average all counts; a single NaN or infinity shows in it."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(stack.mean(dtype=np.float64))
    if not np.isfinite(mean):
        raise UnusableStack(
            "expected finite counts, got NaN or infinite ones; replace them first, "
            "for example by the local median"
        )
    return mean


def _sample(stack: Real[ndarray, "t y x"]) -> Real[ndarray, "n h w"]:
    """Take frames in a row from the middle; of large ones, four windows.

    Frames are compared with their neighbours; four windows see more than one.
    """
    first = max(len(stack) - _MOST_FRAMES, 0) // 2
    frames = stack[first : first + _MOST_FRAMES]
    share = np.sqrt(_MOST_VALUES / frames.size)
    for axis in (1, 2):
        n = frames.shape[axis]
        edge = max(int(share * n / 2), _LEAST_PX)
        if 2 * edge < n:
            starts = np.array([[n // 4], [3 * n // 4]]) - edge // 2
            frames = frames.take((starts + np.arange(edge)).ravel(), axis)
    return frames


def _spread(stack: Real[ndarray, "t y x"]) -> float:
    return float(stack.std(dtype=np.float64))


def _notes(
    measured: NoiseMeasurement | None, n_frames: int, *, faint: bool
) -> Iterator[str]:
    """Say what a base model was not trained for."""
    if faint:
        yield (
            "Almost no noise was found: the movie may have been denoised or simulated; "
            "base models are not trained for that."
        )
    if n_frames == 1:
        yield (
            "There is one frame only: the noise was read from neighbouring pixels, so "
            "fine texture counts as noise."
        )
    if measured is None:
        if not faint:
            yield "The stack tells little of its noise: the level is a rough guess."
        return
    if n_frames > 1 and not measured.alike:
        yield (
            "Neighbouring frames have nothing in common: the noise was read within "
            "each frame, so fine texture counts as noise."
        )
    if measured.gain_told and not faint:
        yield from _dose(measured.dose)
    if measured.correlated:
        yield (
            "Neighbouring pixels share noise, which base models are not trained for: "
            "expect residual blotches; bin the movie, or train on it."
        )
    if _lagged(measured):
        yield (
            "Frames share noise with the next one, which base models are not trained "
            "for: expect residual flicker, or train on the movie."
        )
    for share, what in (
        (measured.saturated, "values are saturated: what is brighter is lost"),
        (
            measured.clipped,
            "values are clipped at the lowest: dark places look brighter",
        ),
        (measured.defects, "pixels are hot, dead or stuck: they may stay as dots"),
    ):
        if share > _NOTABLE:
            yield f"{100 * share:.2g} % of the {what}."


def _dose(dose: Measured) -> Iterator[str]:
    """Say whether the dose is one that base models know."""
    low, high = TRAINED_DOSE
    if low <= dose.value <= high:
        return
    what = "bin frames or pixels" if dose.value < low else "expect little change"
    yield (
        f"The dose is about {dose.value:.2g} quanta per pixel and frame "
        f"({dose.low:.2g} to {dose.high:.2g}); base models are trained for {low:g} to "
        f"{high:g}: {what}."
    )
