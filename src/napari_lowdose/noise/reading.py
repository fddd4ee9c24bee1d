"""From what a stack shows to the detector that recorded it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from napari_lowdose.noise.calibration import Calibration, Known
from napari_lowdose.noise.comb import Comb, find_comb
from napari_lowdose.noise.counting import whole_counts_above
from napari_lowdose.noise.evidence import Evidence
from napari_lowdose.noise.likelihood import Likely, Range, likely
from napari_lowdose.noise.measurement import Measured, Source

_Z = 1.96
_DOUBT = 0.005  # of a variance, from what moves
_APART = 0.15  # widest peaks, in gains, of which one in a thousand is taken for another
_UNLIKELY = -12.0  # logarithm of the likelihood of skewness and variance together
_TELLING = 0.15  # error of an offset that is told, over the brightness above it


@dataclass(frozen=True)
class Detector:
    """What recorded a stack, and the dose that it saw."""

    gain: Measured
    offset: Measured
    readout_std: Measured
    dose: Measured
    counting: bool


def read_detector(
    evidence: Evidence, known: Calibration, *, given: bool = False
) -> Detector:
    """Choose the most telling evidence: whole counts, a comb, or cumulants.

    Parameters
    ----------
    evidence
        What was gathered from the stack.
    known
        What calibration frames tell, or the user.
    given
        Whether the known offset is the user's.
    """
    if (offset := whole_counts_above(evidence, known)) is not None:
        return _with_sources(_counted(evidence, offset), known, given)
    found = _from_cumulants(evidence, known)
    comb = None
    if known.gain is None:
        margin = 0.02 * found.gain.value
        comb = find_comb(
            evidence.values,
            found.gain.low - margin,
            found.gain.high + margin,
            step=evidence.step,
        )
    if comb and (detector := _from_comb(evidence, comb, known)):
        return _with_sources(detector, known, given)
    return _with_sources(_from_likely(evidence, found, known), known, given)


def _counted(evidence: Evidence, offset: float) -> Detector:
    """Describe a detector that counts."""
    moments, step = evidence.moments, evidence.step
    left = moments.variance - step * (moments.mean - offset)
    error = _Z * float(np.sqrt(moments.covariance[1, 1])) + _DOUBT * moments.variance
    readout = float(np.sqrt(max(left, 0) + error))
    return Detector(
        Measured(step, step, step),
        Measured(offset, offset, offset),
        Measured(0.0, 0.0, readout),
        _measured((evidence.mean - offset) / step, evidence.mean_std / step, least=0.0),
        counting=True,
    )


def _from_cumulants(evidence: Evidence, known: Calibration) -> Likely:
    """Weigh slope, skewness and kurtosis; without the latter where they contradict."""
    search = partial(
        likely,
        evidence.moments,
        dose_mean=evidence.mean,
        lowest=float(evidence.values.min()),
        known=known,
    )
    if evidence.white and evidence.many:
        found = search(skewed=True)
        # Amplifiers that multiply electrons by chance have another skewness.
        if found.log_likelihood > _UNLIKELY:
            return found
    return search(skewed=False)


def _from_comb(evidence: Evidence, comb: Comb, known: Calibration) -> Detector | None:
    """Read gain and readout noise off the comb, and the offset off its place."""
    moments = evidence.moments
    counted = moments.variance - comb.width**2
    if counted <= 0:
        return None
    error = float(
        np.sqrt(
            moments.covariance[1, 1]
            + (2 * comb.width * comb.width_std) ** 2
            + (counted * comb.gain_std / comb.gain) ** 2
            + (_DOUBT * moments.variance) ** 2
        )
        / comb.gain
    )
    place = moments.mean - counted / comb.gain
    offset, offset_std = place, error
    nearest = comb.phase + comb.gain * round((place - comb.phase) / comb.gain)
    if 4 * error < comb.gain:  # else several teeth could be the dark one
        if abs(nearest - place) > 3 * error + 3 * comb.phase_std:
            return None
        offset, offset_std = nearest, comb.phase_std
    if known.offset is not None:
        offset, offset_std = known.offset.value, known.offset.error
    dose = (evidence.mean - offset) / comb.gain
    errors = (dose * comb.gain_std, offset_std, evidence.mean_std)
    dose_std = float(np.linalg.norm(errors)) / comb.gain
    return Detector(
        _measured(comb.gain, comb.gain_std),
        _measured(offset, offset_std),
        _measured(comb.width, comb.width_std, least=0.0),
        _measured(dose, dose_std, least=0.0),
        counting=comb.width < _APART * comb.gain,
    )


def _from_likely(evidence: Evidence, found: Likely, known: Calibration) -> Detector:
    """Take the likeliest detector; an offset that is not told is taken to be zero."""
    offset = Measured(found.offset.value, found.offset.low, found.offset.high)
    best = found
    above = evidence.moments.mean - found.offset.value
    vague = found.offset.high - found.offset.low > 2 * _TELLING * above
    if known.offset is None and vague:
        inside = found.offset.low <= 0 <= found.offset.high
        # Most detectors add little to the noise of the quanta.
        likeliest = found.offset.value if found.skewed else found.offset.low
        value = 0.0 if inside else likeliest
        offset = Measured(value, found.offset.low, found.offset.high, Source.ASSUMED)
        best = _from_cumulants(
            evidence, Calibration(known.gain, Known(value), known.readout_variance)
        )
    digitised = evidence.step**2 / 12  # rounding is no readout noise
    low, value, high = (
        float(np.sqrt(max(variance - digitised, 0)))
        for variance in (
            found.readout_variance.low,
            best.readout_variance.value,
            found.readout_variance.high,
        )
    )
    return Detector(
        _ranged(best.gain.value, found.gain),
        offset,
        Measured(value, min(low, value), max(high, value)),
        _ranged(best.dose.value, found.dose),
        counting=False,
    )


def _with_sources(detector: Detector, known: Calibration, given: bool) -> Detector:
    """Say what came from calibration frames or the user, and keep their numbers."""
    gain, offset, readout = detector.gain, detector.offset, detector.readout_std
    if known.gain is not None:
        gain = _measured(known.gain.value, known.gain.error, source=Source.CALIBRATED)
    if known.offset is not None:
        source = Source.GIVEN if given else Source.CALIBRATED
        offset = _measured(known.offset.value, known.offset.error, source=source)
    if known.readout_variance is not None:
        std = float(np.sqrt(known.readout_variance.value))
        error = known.readout_variance.error / max(2 * std, 1e-9)
        readout = _measured(std, error, least=0.0, source=Source.CALIBRATED)
    return Detector(gain, offset, readout, detector.dose, detector.counting)


def _measured(
    value: float,
    std: float,
    *,
    least: float = -np.inf,
    source: Source = Source.MEASURED,
) -> Measured:
    return Measured(value, max(value - _Z * std, least), value + _Z * std, source)


def _ranged(value: float, found: Range) -> Measured:
    return Measured(value, min(found.low, value), max(found.high, value))
