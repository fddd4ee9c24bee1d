"""Reading the detector and the dose off a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.noise.calibration import Known, calibrate
from napari_lowdose.noise.cells import gather, sort
from napari_lowdose.noise.comb import lattice_step
from napari_lowdose.noise.correlation import neighbour_correlation, temporal_correlation
from napari_lowdose.noise.differences import Differences, show_the_same, spread_windows
from napari_lowdose.noise.flaws import defect_share, dose_drift, ends_of_scale
from napari_lowdose.noise.measurement import NoiseMeasurement, shares_noise
from napari_lowdose.noise.reading import Evidence, read_detector
from napari_lowdose.noise.transfer import summarize

_FEWEST_PX = 16
_FEWEST_VALUES = 4096
_HISTOGRAM_FRAMES = 32
_MEAN_FRAMES = 128


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
    values = _values(stack)
    _check(stack, values)
    step = lattice_step(values)
    alike = len(stack) < 2 or show_the_same(stack)
    differences = Differences(stack, pivot=float(np.median(stack[0])), alike=alike)
    differences, sorting = sort(differences)
    correlation, correlation_std = neighbour_correlation(differences, sorting)
    lags = temporal_correlation(stack) if alike else np.ones(1)
    ends = ends_of_scale(values, step=step, noise_std=sorting.noise_std)
    cells = gather(differences, sorting)
    moments = summarize(cells, pivot=differences.pivot, ends=ends.limits)
    if not moments.variance > 0:
        raise UnusableStack(
            "expected noise, but neighbouring frames are equal; give the stack as it "
            "was recorded"
        )
    evidence = Evidence(
        moments,
        values,
        step=step,
        mean=_mean(stack),
        mean_std=float(np.sqrt(max(moments.variance, 0) / stack.size)),
        white=not shares_noise(correlation, correlation_std),
        many=differences.n_frames > 2,
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
        correlation_std=correlation_std,
        n_frames=len(stack),
        alike=alike,
    )


def _values(stack: Real[ndarray, "t y x"]) -> Real[ndarray, " n"]:
    """Pick counts for the histogram, from all over the stack."""
    frames = stack[:: -(-len(stack) // _HISTOGRAM_FRAMES)]
    return np.concatenate([spread_windows(frame).reshape(-1) for frame in frames])


def _mean(stack: Real[ndarray, "t y x"]) -> float:
    frames = stack[:: -(-len(stack) // _MEAN_FRAMES)]
    return float(np.mean([frame.mean(dtype=np.float64) for frame in frames]))


def _check(stack: Real[ndarray, "t y x"], values: Real[ndarray, " n"]) -> None:
    """Refuse what noise cannot be read from."""
    if min(stack.shape[1:]) < _FEWEST_PX or stack.size < _FEWEST_VALUES:
        raise UnusableStack(
            f"expected frames of {_FEWEST_PX} x {_FEWEST_PX} pixels and "
            f"{_FEWEST_VALUES} values or more to read the noise from, got shape "
            f"{stack.shape}; give a larger crop or more frames"
        )
    if not np.isfinite(values).all():
        raise UnusableStack(
            "expected finite counts to read the noise from, got NaN or infinite ones; "
            "replace them first"
        )
    if values.min() == values.max():
        raise UnusableStack(
            f"expected noise, but every value is {values.min():g}; check the file, "
            "the channel or the crop"
        )
