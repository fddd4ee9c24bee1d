"""Whether a movie and its estimate belong together, and what can be tested on them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float32, Real
from numpy import ndarray

from napari_lowdose.noise import Measured, NoiseMeasurement, Source
from napari_lowdose.noise.unit_notes import frames_share_noise
from napari_lowdose.stack import Stack
from napari_lowdose.trust.shift import Shift, shift_between

# Of a large stack so much from the middle is compared.
_MOST_FRAMES, _MOST_PX = 64, 256
# Chance makes clumps alike, but less so, and far less than what belongs together.
_FAINT, _LESS = 10.0, 3.0  # standard errors; times less
_BIN_PX = 8
_MEAN_OFF = 0.25  # of the raw movie's deviation
_SLOPE_OFF = 3.0
_SURE = 5.0  # standard errors of the slope
_UNTOLD = 3.0  # ends of the gain's interval over one another
_VISIBLE = 0.02  # share of the gain that an interval may have without a word
_CLIPPED = 1e-3


def check_pair(noisy: Stack, estimate: Stack) -> tuple[str, ...]:
    """Say what speaks against an estimate being that of a movie, pixel by pixel.

    Parameters
    ----------
    noisy, estimate
        The movie as recorded and what was made of it, in the same counts. Of large ones
        64 frames of 256 x 256 pixels in the middle are compared.

    Returns
    -------
    tuple of str
        A sentence for a shift in space or time, for an estimate that has nothing of the
        movie, and for one on another scale; empty where all is well.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if noisy.shape != estimate.shape:
        raise ValueError(
            f"expected an estimate of the raw movie's shape {noisy.shape}, got "
            f"{estimate.shape}; denoise the whole movie, without cropping or binning"
        )
    middle = _middle(noisy.shape)
    raw, seen = (
        np.asarray(stack.data[middle]).astype(np.float32) for stack in (noisy, estimate)
    )
    shift = shift_between(raw, seen)
    return (*_of_place(shift), *_of_scale(raw, seen, aligned=not shift.any))


def refuse_gaps(estimate: Real[ndarray, "t y x"]) -> None:
    """Refuse an estimate in which no particle could be found.

    Raises
    ------
    ValueError
        If it has values that are no numbers.
    """
    if not np.isfinite(np.mean(estimate, dtype=np.float64)):
        raise ValueError(
            "expected an estimate of finite values, got NaN or infinite ones; replace "
            "them first, or let the model make the estimate"
        )


def _middle(shape: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """Cut the middle out."""
    sizes = (_MOST_FRAMES, _MOST_PX, _MOST_PX)
    starts = [max(n - size, 0) // 2 for n, size in zip(shape, sizes, strict=True)]
    t, y, x = (
        slice(start, start + size) for start, size in zip(starts, sizes, strict=True)
    )
    return t, y, x


def _of_place(shift: Shift) -> Iterator[str]:
    """Say where the estimate lies."""
    if shift.any:
        named = {
            "t (frames)": shift.frames,
            "y (pixels)": shift.rows,
            "x (pixels)": shift.columns,
        }
        steps = ", ".join(f"{n:+d} in {axis}" for axis, n in named.items() if n)
        yield (
            "The estimate is shifted against the raw movie: it would fit best when "
            f"moved by {steps}; give the estimate as it was made of this movie."
        )
    elif shift.alike < min(_FAINT, shift.expected / _LESS):
        yield (
            "Nothing of the estimate is found in the raw movie; check that both are "
            "of the same recording."
        )


def _of_scale(
    noisy: Float32[ndarray, "t y x"],
    estimate: Float32[ndarray, "t y x"],
    *,
    aligned: bool,
) -> Iterator[str]:
    """Say whether the estimate is in other units than the movie."""
    raw, seen = (float(a.mean(dtype=np.float64)) for a in (noisy, estimate))
    if abs(raw - seen) > _MEAN_OFF * float(noisy.std(dtype=np.float64)):
        yield (
            f"The mean of the estimate is {seen:.4g}, that of the raw movie {raw:.4g}: "
            "it was normalised, or an offset was taken off; give both in the same "
            "counts."
        )
    slope, error = _slope(noisy, estimate) if aligned else (1.0, 0.0)
    above, below = slope - _SURE * error, slope + _SURE * error
    if above > _SLOPE_OFF or (0 < slope and below < 1 / _SLOPE_OFF):
        yield (
            f"Where the estimate rises by 1, the raw movie rises by {slope:.3g}: it "
            "was normalised, or its contrast changed; give both in the same counts."
        )


def _slope(noisy: ndarray, estimate: ndarray) -> tuple[float, float]:
    """Fit the movie as a line over its estimate, both averaged over small areas."""
    raw, seen = (_binned(stack) - stack.mean() for stack in (noisy, estimate))
    power = float(np.sum(seen**2))
    if not power > 0:
        return 1.0, np.inf
    slope = float(np.sum(raw * seen)) / power
    left = float(np.mean((raw - slope * seen) ** 2))
    return slope, float(np.sqrt(left / power))


def _binned(stack: Float32[ndarray, "t y x"]) -> ndarray:
    """Average over all frames and areas of 8 x 8 pixels."""
    flat = stack.mean(axis=0, dtype=np.float64).astype(np.float32)
    columns, rows = (max(n // _BIN_PX, 1) for n in flat.shape[::-1])
    binned: ndarray = cv2.resize(flat, (columns, rows), interpolation=cv2.INTER_AREA)
    return binned.astype(np.float64)


def testable(measurement: NoiseMeasurement) -> tuple[bool, tuple[str, ...]]:
    """Decide whether raw counts of a movie can be tested, and with which caveats.

    Parameters
    ----------
    measurement
        What `napari_lowdose.noise.measure_noise` read off the movie as recorded.

    Returns
    -------
    bool, tuple of str
        False with the reasons, or True with what every p value must be read with.
    """
    reasons = tuple(_reasons(measurement))
    return (False, reasons) if reasons else (True, tuple(_caveats(measurement)))


def _reasons(m: NoiseMeasurement) -> Iterator[str]:
    """Say what makes counts depend on one another, or their noise unknown."""
    if m.correlated:
        yield (
            "The tests are switched off: neighbouring pixels share noise (correlation "
            f"{_largest(m):.2f}), since the movie was filtered or interpolated, or the "
            "detector blurs; give the movie as it was recorded, or bin it."
        )
    if frames_share_noise(m):
        yield (
            "The tests are switched off: frames share noise with the next one "
            f"(correlation {m.lags[1]:.2f}), by afterglow, averaging or interpolation; "
            "give the movie as it was recorded, or add up frames."
        )
    if _untold(m.gain):
        yield (
            "The tests are switched off: the gain is not told, as the noise does not "
            "grow with the brightness; give flat frames of the detector, or a movie "
            "in electrons."
        )


def _untold(gain: Measured) -> bool:
    return not gain.value > 0 or gain.high > _UNTOLD * max(gain.low, 0.0)


def _largest(m: NoiseMeasurement) -> float:
    """Give the correlation of the two neighbours that share most."""
    around = np.delete(m.correlation.ravel(), m.correlation.size // 2)
    return float(around[np.argmax(np.abs(around))])


def _caveats(m: NoiseMeasurement) -> Iterator[str]:
    gain, offset = m.gain, m.offset
    if gain.high - gain.low > _VISIBLE * gain.value:
        how = "was read off the movie" if gain.source is Source.MEASURED else "is known"
        yield (
            f"The gain {how} as {gain.value:.3g} counts per quantum ({gain.low:.3g} to "
            f"{gain.high:.3g}): the evidence of each particle is as uncertain, "
            f"{_percent(1 - gain.value / gain.high)} less or "
            f"{_percent(gain.value / gain.low - 1)} more."
        )
    if offset.source is Source.ASSUMED:
        yield (
            f"The dark level is assumed to be {offset.value:.4g} counts, of "
            f"{offset.low:.4g} to {offset.high:.4g} that are possible; each p value "
            "depends on it, so give a dark frame, or the offset."
        )
    if m.lag_shared and not m.counting:
        yield (
            f"Frames may share noise with the next one (correlation {m.lags[1]:.2f}): "
            "what neighbouring frames say of a particle may be less independent."
        )
    if not m.correlation_told:
        yield (
            "Whether neighbouring pixels share noise cannot be told (correlation "
            f"{_largest(m):.2f}, which what moves may feign); if they do, p values are "
            "too small."
        )
    if m.clipped > _CLIPPED:
        yield (
            f"{_percent(m.clipped)} of the values are clipped at the lowest: dark "
            "particles have less evidence than they should."
        )


def _percent(share: float) -> str:
    return f"{float(f'{100 * share:.2g}'):g} %"


def electrons_of(
    counts: Real[ndarray, "t y x"], measurement: NoiseMeasurement
) -> tuple[Float32[ndarray, "t y x"], float, float]:
    """Turn counts into quanta for the tests.

    Parameters
    ----------
    counts
        Of shape (t, y, x).
    measurement
        The detector, whose gain is told (`testable`).

    Returns
    -------
    electrons, readout_variance, excess
        Quanta, also below zero where there is readout noise; its variance in quanta
        squared; and by how much quanta scatter more than by Poisson's law: 1, since a
        gain that was read off variances has such an excess in it.

    References
    ----------
    Notes on algorithms, section 28.6.
    """
    gain, offset = measurement.gain.value, measurement.offset.value
    electrons = np.empty(counts.shape, np.float32)
    for frame, out in zip(counts, electrons, strict=True):
        # Large offsets leave no room in single precision.
        out[:] = (frame.astype(np.float64) - offset) / gain
    return electrons, float((measurement.readout_std.value / gain) ** 2), 1.0
