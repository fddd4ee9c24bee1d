"""Reading off a stack the units in which a base model sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.correlation import shared_with_next
from napari_lowdose.noise.estimate import measure_noise
from napari_lowdose.noise.evening import SharedNoise, evened, power_of_neighbours
from napari_lowdose.noise.measurement import NoiseMeasurement
from napari_lowdose.noise.thinning import looks_counted
from napari_lowdose.noise.tiles import TILE_PX, VarianceLine, rough_line
from napari_lowdose.noise.unit_notes import frames_share_noise, untrained_for
from napari_lowdose.noise.units import NoiseUnits

_MOST_FRAMES = 60
_MOST_VALUES = 1_000_000
_LEAST_PX = 32  # of a window
# Of the stack's own deviation; sparse bright specimens at high doses come near.
_LEAST_NOISE = 0.005
_TELLING = 0.6  # half of an interval of the gain that is better than no gain at all
_MOST_SHARED = 25.0  # as if all pixels of the map were one
_JUMPY = 0.85  # of the measured deviation, below which motion had a part in that
_JUMPY_COUNTS = 0.7  # the same for a detector that counts, whose noise is better known
_HIDDEN = 1.3  # of the measured deviation, above which that missed all that is bright
_MOST_LAG = 0.45  # at a half, the highest temporal frequency would have no noise
_FEWEST_FRAMES = 8  # that tell how neighbours share noise
_SPECTRUM = (1, 32, 32)  # frequencies at which powers are looked at
# Of noise that pixels share, in parts of the mean: -0.1 was found for that of blurs
# over up to two pixels, -0.4 to -0.6 beyond that, and -0.9 for what moved.
_CREDIBLE = -0.25
_FEWEST_QUANTA = 2  # of a tile whose variance has a median that means something


@dataclass(frozen=True)
class Reading:
    """What was read off a stack.

    Parameters
    ----------
    units
        The map to units of the noise, and the noise at any brightness.
    notes
        Sentences that the user should read before trusting a base model.
    shared
        How voxels share noise, as far as it is certain.
    """

    units: NoiseUnits
    notes: tuple[str, ...]
    shared: SharedNoise


def read_evened(
    stack: Real[ndarray, "t y x"],
) -> tuple[Real[ndarray, "t y x"], Reading]:
    """Make the noise independent where it is not, and read what a base model sees.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).

    Returns
    -------
    stack
        The same where nothing is to be done, or in float32, see `evened`.
    reading
        Of that; but it tells how noise was shared before.

    Raises
    ------
    UnusableStack
        As `read_noise_units`.
    """
    reading = _read(stack)
    shared = reading.shared
    if not shared:
        return stack, reading
    even = evened(stack, shared, reading.units.mean)
    again = _read(even, evened_pixels=shared.neighbours is not None)
    return even, replace(again, shared=shared)


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
    reading = _read(stack)
    return reading.units, reading.notes


def noise_units_of(
    stack: Real[ndarray, "t y x"], *, gain: float, offset: float
) -> NoiseUnits:
    """Take a user's numbers where the noise follows them; else read it off.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    gain, offset
        Counts per quantum, and counts in the dark.

    Raises
    ------
    UnusableStack
        As `read_noise_units`.
    """
    if not looks_counted(stack, gain=gain, offset=offset):
        return read_noise_units(stack)[0]
    mean = float(stack.mean(dtype=np.float64))
    return NoiseUnits.of_detector(mean, gain=gain, offset=offset, readout_std=0.0)


def _read(stack: Real[ndarray, "t y x"], *, evened_pixels: bool = False) -> Reading:
    mean, sample = _mean(stack), sample_of(stack)
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
    lag = shared_with_next(sample)
    line = _line(sample, measured, mean / unit, lag).scaled(unit)
    least = (_LEAST_NOISE * spread) ** 2
    faint = line.variance < least
    if faint:
        line = VarianceLine(0.0, least)
    offset = measured.offset.value * unit if measured else 0.0
    notes = untrained_for(
        measured, len(stack), faint=faint, shared=lag, evened_pixels=evened_pixels
    )
    units = _units(mean, line, offset)
    neighbours, std = None, 0.0
    if measured and _tells_neighbours(measured) and not faint:
        neighbours = measured.correlation
        std = units.std / float(np.sqrt(_shared(measured)))
    shared = SharedNoise(min(lag, _MOST_LAG), neighbours, std)
    return Reading(units, tuple(notes), shared)


def _tells_neighbours(measured: NoiseMeasurement) -> bool:
    """Tell whether it is certain how pixels share noise.

    Within a frame fine texture may share some. What moves, or reaches further than the
    map of correlations, makes powers of less than nothing.
    """
    if not (measured.correlated and measured.alike):
        return False
    power = power_of_neighbours(_SPECTRUM, measured.correlation)
    return measured.n_frames >= _FEWEST_FRAMES and bool(power.min() > _CREDIBLE)


def _units(mean: float, line: VarianceLine, offset: float) -> NoiseUnits:
    """Find the detector whose noise follows a line; its offset where that fits."""
    counted = line.slope * max(mean - offset, 0.0)
    if counted > line.variance:
        offset, counted = mean - line.variance / line.slope, line.variance
    readout_std = float(np.sqrt(line.variance - counted))
    std = float(np.sqrt(line.variance))
    return NoiseUnits(mean, std, line.slope, offset, readout_std)


def _line(
    sample: Real[ndarray, "t y x"],
    measured: NoiseMeasurement | None,
    mean: float,
    shared_in_time: float,
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
    shared = _shared(measured) * (
        1.0 if rougher else _lagging(measured, shared_in_time)
    )
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


def _lagging(measured: NoiseMeasurement, shared: float) -> float:
    """Give the variance over long times over what differences of frames show of it."""
    # No afterglow leaves counts whole.
    great = frames_share_noise(measured) and not measured.counting
    if not (shared or great):
        return 1.0
    # Small ones are better told by the finest details, great ones last longer.
    lags = np.maximum(measured.lags[1:], 0.0) if great else np.array([shared])
    seen = 1 - 4 / 3 * lags[0] + (lags[1] / 3 if len(lags) > 1 else 0.0)
    return float((1 + 2 * lags.sum()) / max(seen, 0.1))


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


def sample_of(stack: Real[ndarray, "t y x"]) -> Real[ndarray, "n h w"]:
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
