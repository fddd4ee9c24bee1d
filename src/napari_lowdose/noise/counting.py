"""Whether counts are whole electrons, one by one."""

from __future__ import annotations

import numpy as np

from napari_lowdose.noise.calibration import Calibration
from napari_lowdose.noise.evidence import Evidence
from napari_lowdose.noise.measurement import PhotonTransfer

_SURE = 0.1  # error of a level's variance that tells counting, over the variance
_SAME = 0.03  # by which variance and mean of counts may differ


def whole_counts_above(evidence: Evidence, known: Calibration) -> float | None:
    """Find the offset above which the counts are whole electrons, if they are.

    Digitised analogue counts are whole numbers as well: variance, slope and skewness
    must be those of single electrons. What is blurred and digitised does not start at
    zero as well.
    """
    if not evidence.step:
        return None
    offset = _dark_place(evidence)
    if offset is None or (evidence.blurred and offset):
        return 0.0 if _fit_to_zero(evidence, known) else None
    if known.offset is not None:
        error = 4 * evidence.moments.variance_std / evidence.step
        if abs(known.offset.value - offset) > max(error, 4 * known.offset.error):
            return None
    return offset


def _dark_place(evidence: Evidence) -> float | None:
    """Find the count from which variance, slope and skewness are those of electrons."""
    moments, step = evidence.moments, evidence.step
    variance, mean = moments.variance, moments.mean
    if abs(moments.slope - step) > max(4 * moments.slope_std, 0.05 * step):
        return None
    if evidence.white and evidence.many:
        third_std = float(np.sqrt(moments.covariance[2, 2]))
        off = abs(moments.third - step * variance)
        if off > max(5 * third_std, 0.1 * step * variance):
            return None
    lowest = float(evidence.values.min())
    place = mean - variance / step
    error = moments.variance_std / step
    tolerance = max(4 * error, _SAME * (mean - place))
    offset = lowest + step * round((place - lowest) / step)
    if tolerance > 0.4 * step and abs(place) < tolerance:
        offset = lowest - step * round(lowest / step)
    # Software counts from zero; what a digitiser adds must be told to a small part.
    digitised = evidence.values.dtype.kind in "ui" and abs(offset) > step / 2
    if digitised and tolerance > _SURE * step:
        return None
    below = np.mean(evidence.values[::7] < offset - step / 2)
    deep = offset < min(lowest, 0.0) - step / 2  # nothing speaks for a dark down there
    far = abs(offset - place) > tolerance
    return None if far or deep or below > 1e-3 else float(offset)


def _fit_to_zero(evidence: Evidence, known: Calibration) -> bool:
    """Tell whether these are whole electrons above zero in a scene that moves.

    Motion only adds to the variance: nowhere is it smaller than the mean, and where
    little moves, or in the dark, it equals the mean.
    """
    lowest = float(evidence.values.min())
    if lowest < 0:
        return False
    if known.offset is not None and abs(known.offset.value) > 4 * known.offset.error:
        return False
    step = evidence.step
    between = evidence.moments.transfer
    if not _holds_counts(between, step):
        return False
    if _shows_counts(between, step, lowest):
        return True
    within = evidence.within()
    if within is None or not _holds_counts(within, step):
        return False
    return _shows_counts(within, step, lowest)


def _holds_counts(transfer: PhotonTransfer, step: float) -> bool:
    """Tell whether no level varies less than counts do."""
    mean, variance, std = _in_steps(transfer, step)
    return bool((variance - mean >= -4 * std - 2 * _SAME * mean - 0.01).all())


def _shows_counts(transfer: PhotonTransfer, step: float, lowest: float) -> bool:
    """Tell whether some level varies as little as counts do, and surely.

    Zero must be near: an offset shows in that no value is much lower than the rest.
    """
    mean, variance, std = _in_steps(transfer, step)
    sure = (std < _SURE * mean) & (mean > 2 * lowest / step)
    return bool((sure & (variance - mean < np.maximum(2 * std, _SAME * mean))).any())


def _in_steps(transfer: PhotonTransfer, step: float) -> tuple[np.ndarray, ...]:
    std = np.nan_to_num(transfer.variance_std) / step**2
    return transfer.mean / step, transfer.variance / step**2, std
