"""All scores that the data at hand allow, and how each is to be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.metrics import fidelity, lattice, residual, unsupervised
from napari_lowdose.metrics.added_detail import CROSS_FRC, cross_frc
from napari_lowdose.metrics.consecutive import (
    CSS,
    CSS_DISJOINT,
    CSS_LAGGED,
    CSS_PLAIN,
    CSS_TERMS,
    LAGS,
    css_between,
)
from napari_lowdose.metrics.decorrelation import DECORRELATION, decorrelation
from napari_lowdose.metrics.flatness import RSD, Box, rsd
from napari_lowdose.metrics.metric import Score, Scored
from napari_lowdose.metrics.noise2self import NOISE2SELF, Denoise, noise2self_loss
from napari_lowdose.metrics.recording import Recording, range_of
from napari_lowdose.metrics.reference import MSE, PSNR, SSIM, data_range
from napari_lowdose.metrics.ring_correlation import FRC, frc

EVERY_SCORE: Mapping[str, Score] = MappingProxyType(
    {
        "mse": MSE,
        "psnr": PSNR,
        "ssim": SSIM,
        "deviance": fidelity.DEVIANCE,
        "bias": fidelity.BIAS,
        "bias_rms": fidelity.BIAS_RMS,
        "slope": fidelity.SLOPE,
        "intercept": fidelity.INTERCEPT,
        "thinned_mse": unsupervised.THINNED_MSE,
        "thinned_psnr": unsupervised.THINNED_PSNR,
        "umse": unsupervised.UMSE,
        "upsnr": unsupervised.UPSNR,
        "noise2self": NOISE2SELF,
        "css": CSS,
        "css_plain": CSS_PLAIN,
        **CSS_LAGGED,
        "css_disjoint": CSS_DISJOINT,
        "residual_mean": residual.RESIDUAL_MEAN,
        "residual_z": residual.RESIDUAL_Z,
        "residual_chi2": residual.RESIDUAL_CHI2,
        "residual_right": residual.RESIDUAL_RIGHT,
        "residual_below": residual.RESIDUAL_BELOW,
        "residual_next": residual.RESIDUAL_NEXT,
        "cross_frc": CROSS_FRC,
        "bragg_spacing": lattice.BRAGG,
        "bragg_agreement": lattice.BRAGG_AGREEMENT,
        "rsd": RSD,
        "noisy_frc": FRC,
        "noisy_decorrelation": DECORRELATION,
    }
)
"""How every score of `scores_of` is to be read, by name."""

_KEPT = 0.8  # of the electrons, as in a comparison
_FRAMES = 16  # for spectra
_LEAST_PX = 32  # for spectra
_Found = Iterator[tuple[str, Scored]]


def scores_of(
    estimate: Real[ndarray, "..."],
    *,
    noisy: Real[ndarray, "..."] | None = None,
    truth: Real[ndarray, "..."] | None = None,
    denoise: Denoise | None = None,
    gain: float = 1.0,
    offset: float = 0.0,
    readout_std: float = 0.0,
    pixel_size: float | None = None,
    lattice_constant: float | None = None,
    seen_frames: int | None = None,
    box: Box | None = None,
    seed: int = 0,
) -> dict[str, Scored]:
    """Measure every score that the data allow, with standard errors.

    Parameters
    ----------
    estimate
        Counts of shape (t, y, x).
    noisy
        The counts that it was made of.
    truth
        Expected counts.
    denoise
        What made the estimate of the noisy counts. It is asked four times more, for
        what it makes of parts of them: the only sure way to judge it without truth.
    gain, offset, readout_std
        Counts per electron, counts in the dark, and readout noise in counts.
    pixel_size, lattice_constant
        In one unit, for Bragg spacings; pixels and any lattice if unknown.
    seen_frames
        How many frames before and after a frame went into its estimate. Only then
        other frames can stand for repetitions, beyond that reach.
    box
        First row, end row, first column, end column of a flat region.
    seed
        Of thinning and of the standard errors.

    Returns
    -------
    dict
        By name, in the order of `EVERY_SCORE`, which tells how to read them; what the
        data do not allow is left out. Standard errors are NaN where none is known.

    Raises
    ------
    ValueError
        If shapes differ or have not three axes, the truth has no contrast, or the box
        lies outside.
    """
    if estimate.ndim != 3:
        raise ValueError(
            f"expected an estimate of shape (t, y, x), got {estimate.shape}; "
            "choose one channel and one z first"
        )
    for other, name in ((noisy, "noisy stack"), (truth, "truth")):
        if other is not None and other.shape != estimate.shape:
            raise ValueError(
                f"expected a {name} of the estimate's shape {estimate.shape}, "
                f"got {other.shape}"
            )
    found = dict(_likeness(estimate, seed))
    if box is not None:
        found["rsd"] = rsd(estimate, box, offset=offset)
    if truth is not None:
        rng = np.random.default_rng(seed)
        found.update(_fidelity(estimate, truth, rng, gain, offset))
    if noisy is not None:
        recording = Recording(noisy, gain, offset, readout_std, seed)
        peak = data_range(truth) if truth is not None else range_of(noisy)
        found.update(_residual(recording, estimate))
        found.update(_detail(recording, estimate, pixel_size or 1.0, lattice_constant))
        if seen_frames is not None:
            found.update(_neighbours(recording, estimate, seen_frames, peak))
        if denoise is not None:
            found.update(_of_method(recording, denoise, peak))
    return {name: found[name] for name in EVERY_SCORE if name in found}


def _likeness(estimate: ndarray, seed: int) -> _Found:
    """Compare frames of the estimate, at several distances."""
    lags = [lag for lag in LAGS if lag < len(estimate)]
    if not lags:
        return
    rng = np.random.default_rng(seed)
    (found,) = css_between(estimate, estimate, rng=rng, constants=CSS_TERMS)
    yield "css", found
    scores = css_between(estimate, estimate, lags=lags, rng=rng)
    for lag, found in zip(lags, scores, strict=True):
        yield "css_plain" if lag == 1 else f"css_lag_{lag}", found


def _fidelity(
    estimate: ndarray,
    truth: ndarray,
    rng: np.random.Generator,
    gain: float,
    offset: float,
) -> _Found:
    """Compare the estimate with the truth."""
    yield from fidelity.squared_error(estimate, truth, rng).items()
    if SSIM.applies(estimate.shape):
        yield "ssim", fidelity.structural_similarity(estimate, truth, rng)
    yield (
        "deviance",
        fidelity.poisson_deviance(estimate, truth, gain=gain, offset=offset, rng=rng),
    )
    mean, rms = fidelity.mean_bias(estimate, truth, rng)
    slope, intercept = fidelity.slope_and_intercept(estimate, truth, rng)
    yield from {
        "bias": mean,
        "bias_rms": rms,
        "slope": slope,
        "intercept": intercept,
    }.items()


def _residual(recording: Recording, estimate: ndarray) -> _Found:
    """Look at what the estimate leaves of the counts."""
    variance = residual.noise_variance(
        estimate,
        gain=recording.gain,
        offset=recording.offset,
        readout_std=recording.readout_std,
    )
    if not variance.max() > 0:
        return
    seen = residual.residual_statistics(
        recording.noisy, estimate, variance, recording.rng()
    )
    yield from seen.by_name(len(estimate)).items()


def _detail(
    recording: Recording,
    estimate: ndarray,
    pixel_size: float,
    lattice_constant: float | None,
) -> _Found:
    """Look at spectra, of some frames."""
    some = _some_frames(len(estimate))
    noisy = recording.noisy[some]
    if min(noisy.shape[1:]) < _LEAST_PX or noisy.min() == noisy.max():
        return
    seen = lattice.lattice_order(
        noisy,
        estimate[some],
        pixel_size=pixel_size,
        lattice_constant=lattice_constant,
    )
    if seen.finest is not None:
        yield "bragg_spacing", Scored(seen.resolution)
    if seen.families:
        last = seen.families[-1]
        yield "bragg_agreement", Scored(last.agreement, last.std_error)
    if recording.divisible:
        halves = recording.split(0.5, some)
        yield "noisy_frc", frc(*halves).crossing(rng=recording.rng())
    radii = [decorrelation(frame).radius for frame in noisy if np.ptp(frame)]
    error = np.std(radii, ddof=1) / np.sqrt(len(radii)) if len(radii) > 1 else np.nan
    yield "noisy_decorrelation", Scored(float(np.mean(radii)), float(error))


def _neighbours(
    recording: Recording, estimate: ndarray, seen_frames: int, peak: float
) -> _Found:
    """Take frames that the estimate has not seen for repetitions."""
    if len(estimate) < 2 * seen_frames + 4:
        return
    error = unsupervised.umse_from_neighbours(
        estimate, recording.noisy, seen_frames=seen_frames
    )
    yield "umse", error.mse(recording.rng())
    yield "upsnr", error.psnr(peak, recording.rng())


def _of_method(recording: Recording, denoise: Denoise, peak: float) -> _Found:
    """Ask the method for what it makes of parts of the counts."""
    blind = noise2self_loss(denoise, recording.noisy, recording.rng())
    yield "noise2self", blind
    if not recording.divisible:
        return
    gain = recording.gain
    kept, held_out = recording.split(_KEPT)
    error = unsupervised.thinned_error(
        recording.electrons(denoise(recording.counts(kept, _KEPT))),
        held_out,
        fraction=_KEPT,
        readout_std=recording.readout_std / gain,
    )
    mse = error.mse(recording.rng())
    yield "thinned_mse", Scored(mse.value * gain**2, mse.std_error * gain**2)
    yield "thinned_psnr", error.psnr(peak / gain, recording.rng())
    halves = [recording.counts(part, 0.5) for part in recording.split(0.5)]
    one, other = (denoise(half) for half in halves)
    if len(one) > 1:
        (found,) = css_between(one, other, rng=recording.rng())
        yield "css_disjoint", found
    some = _some_frames(len(one))
    if min(one.shape[1:]) >= _LEAST_PX:
        added = cross_frc(
            one[some], halves[0][some], halves[1][some], rng=recording.rng()
        )
        if np.isfinite(added.share.value):
            yield "cross_frc", added.share


def _some_frames(n: int) -> ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, _FRAMES)).round().astype(int))
