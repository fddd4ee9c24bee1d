"""Reading the detector and the dose off a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.calibration import Known, calibrate
from napari_lowdose.noise.cells import Sorting, gather, sort
from napari_lowdose.noise.comb import lattice_step
from napari_lowdose.noise.correlation import (
    most_moved,
    moved_share,
    neighbour_correlation,
    temporal_correlation,
)
from napari_lowdose.noise.differences import Differences, show_the_same, spread_windows
from napari_lowdose.noise.evidence import Evidence
from napari_lowdose.noise.flaws import Ends, defect_share, dose_drift, ends_of_scale
from napari_lowdose.noise.measurement import (
    NoiseMeasurement,
    PhotonTransfer,
    shares_noise,
)
from napari_lowdose.noise.reading import read_detector
from napari_lowdose.noise.transfer import Moments, summarize

_FEWEST_PX = 16
_FEWEST_VALUES = 4096
_HISTOGRAM_FRAMES = 32
_MEAN_FRAMES = 128
# Fourth powers of single precision end beyond.
_LARGEST = 1e9
_NARROWEST = 1e-6
# Only a detector that counts an electron in several pixels correlates whole counts.
_DOUBTS = 3.0  # times as much motion
_DOUBTED = 0.2  # correlation
_NO_NOISE = (
    "expected noise, but neighbouring frames are equal; give the stack as it was "
    "recorded"
)


def measure_noise(
    stack: Real[ndarray, "t y x"],
    *,
    dark: Real[ndarray, "_ _ _"] | None = None,
    flats: Sequence[Real[ndarray, "_ _ _"]] = (),
    offset: float | None = None,
) -> NoiseMeasurement:
    """Read gain, offset, readout noise and dose off a stack, and how surely.

    The noise is what a frame has and its neighbours in time have not, where nothing
    moves. Its variance rises with brightness by the gain; its skewness tells how much
    of the variance is counting, and so the offset; a comb in the histogram tells all
    of it, where single electrons stand apart.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x). From one frame the noise is read from neighbouring
        pixels, and fine texture counts as noise.
    dark
        Frames of the same detector without beam or light.
    flats
        Stacks of evenly lit frames of the same detector, one stack per brightness.
    offset
        Counts in the dark, where they are known; goes before `dark`.

    Returns
    -------
    NoiseMeasurement
        The variance is that of single pixels: where neighbours share their noise, the
        gain is lower than the counts per electron by what they share.

    Raises
    ------
    UnusableStack
        If the stack is too small, or holds no noise.
    ValueError
        If the flats cannot tell a gain.

    References
    ----------
    J. R. Janesick, Photon Transfer, SPIE Press (2007), mean and variance; A. Foi et
    al., IEEE Trans. Image Process. 17, 1737 (2008), Poisson-Gaussian noise of a scene.
    """
    known = calibrate(dark, flats)
    if offset is not None:
        known = replace(known, offset=Known(offset))
    stack = _plain(stack)
    _check(stack)
    values = _values(stack)
    step = lattice_step(values)
    alike = len(stack) < 2 or show_the_same(stack)
    found = _moments(stack, values, step, alike=alike)
    moments, ends = found.moments, found.ends
    if not moments.variance > 0:
        raise UnusableStack(_NO_NOISE)
    correlation, std = neighbour_correlation(found.differences, found.sorting)
    white, motion = not shares_noise(correlation, std), 0.0
    if not white:
        motion = moved_share(found.differences, found.sorting, correlation, std)
    lags = temporal_correlation(stack) if alike else np.ones(1)
    evidence = Evidence(
        moments,
        values,
        step=step,
        mean=_mean(stack),
        mean_std=float(np.sqrt(max(moments.variance, 0) / stack.size)),
        white=white,
        many=found.differences.n_frames > 2,
        blurred=shares_noise(correlation, std, motion=motion),
        within=partial(_within, stack, values, step),
    )
    detector = read_detector(evidence, known, given=offset is not None)
    counting = detector.counting
    return NoiseMeasurement(
        detector.gain,
        detector.offset,
        detector.readout_std,
        detector.dose,
        moments.transfer,
        correlation,
        lags,
        counting,
        saturated=ends.saturated,
        # Many pixels without an electron are no fault of a counting detector.
        clipped=0.0 if counting else ends.clipped,
        drift=dose_drift(stack, detector.offset.value),
        defects=defect_share(
            stack, variance=moments.variance, dose=detector.dose.value
        ),
        correlation_std=std,
        motion=_doubt(motion, correlation, std) if counting else motion,
        n_frames=len(stack),
        alike=alike,
    )


@dataclass(frozen=True)
class _Found:
    """What was read off a stack's differences."""

    differences: Differences
    sorting: Sorting
    moments: Moments
    ends: Ends


def _moments(
    stack: Real[ndarray, "t y x"],
    values: Real[ndarray, " n"],
    step: float,
    *,
    alike: bool,
    everywhere: bool = False,
) -> _Found:
    """Read the cumulants of the noise where little moves, or everywhere if need be."""
    differences = Differences(stack, pivot=float(np.median(stack[0])), alike=alike)
    differences, sorting = sort(differences)
    ends = ends_of_scale(values, step=step, noise_std=sorting.noise_std)
    if everywhere:
        sorting = replace(sorting, strictness=np.inf)
    cells = gather(differences, sorting)
    if not cells.variance.sum() > 0:
        # Only an empty ground holds still.
        sorting = replace(sorting, strictness=np.inf)
        cells = gather(differences, sorting)
    moments = summarize(cells, pivot=differences.pivot, ends=ends.limits)
    return _Found(differences, sorting, moments, ends)


def _within(
    stack: Real[ndarray, "t y x"], values: Real[ndarray, " n"], step: float
) -> PhotonTransfer | None:
    """Read a photon-transfer curve off each frame by itself, where that can be done."""
    try:
        found = _moments(stack, values, step, alike=False, everywhere=True)
    except UnusableStack:
        return None
    return found.moments.transfer


def _doubt(motion: float, correlation: Float[ndarray, "5 5"], std: float) -> float:
    """Doubt a correlation of whole counts: hardly a blur leaves counts whole.

    Interpolation halfway between pixels does, but reaches no further than one.
    """
    doubted = min(_DOUBTS * motion + _DOUBTED, 1.0)
    return min(doubted, most_moved(correlation, std))


def _plain(stack: Real[ndarray, "t y x"]) -> Real[ndarray, "t y x"]:
    """Turn kinds of numbers that are hard to calculate with into others."""
    if stack.dtype.kind == "b":
        return stack.astype(np.uint8)
    if stack.dtype.kind == "f" and stack.dtype.itemsize not in (4, 8):
        return stack.astype(np.float32 if stack.dtype.itemsize < 4 else np.float64)
    return stack


def _values(stack: Real[ndarray, "t y x"]) -> Real[ndarray, " n"]:
    """Pick counts for the histogram, from all over the stack."""
    frames = stack[:: -(-len(stack) // _HISTOGRAM_FRAMES)]
    return np.concatenate([spread_windows(frame).reshape(-1) for frame in frames])


def _mean(stack: Real[ndarray, "t y x"]) -> float:
    frames = stack[:: -(-len(stack) // _MEAN_FRAMES)]
    return float(np.mean([frame.mean(dtype=np.float64) for frame in frames]))


def _check(stack: Real[ndarray, "t y x"]) -> None:
    """Refuse what noise cannot be read from."""
    if min(stack.shape[1:]) < _FEWEST_PX or stack.size < _FEWEST_VALUES:
        raise UnusableStack(
            f"expected frames of {_FEWEST_PX} x {_FEWEST_PX} pixels and "
            f"{_FEWEST_VALUES} values or more to read the noise from, got shape "
            f"{stack.shape}; give a larger crop or more frames"
        )
    low, high = float(stack.min()), float(stack.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UnusableStack(
            "expected finite counts to read the noise from, got NaN or infinite ones; "
            "replace them first"
        )
    if low == high:
        raise UnusableStack(
            f"expected noise, but every value is {low:g}; check the file, "
            "the channel or the crop"
        )
    if max(-low, high) > _LARGEST or high / 2 - low / 2 < _NARROWEST / 2:
        raise UnusableStack(
            f"expected counts up to {_LARGEST:g} that differ by {_NARROWEST:g} or "
            f"more, got {low:g} to {high:g}; scale them first"
        )
