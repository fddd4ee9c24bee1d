"""Where the directions disagree more than noise makes them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Real
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.denoiser import Denoised, Progress, exhausted, part_of
from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.trust.maps import recorded_again

Denoising = Callable[[ndarray], Generator[Progress, None, Denoised]]

_SMOOTHING = 2.0  # frames and pixels
_N_BINS = 16
_FEWEST_VOXELS = 200  # in a bin of brightness


@dataclass(frozen=True)
class NoiseDisagreement:
    """How far the directions' estimates differ where there is nothing but noise.

    Parameters
    ----------
    brightness
        Rising, in counts.
    level
        The disagreement at each, in counts.
    frames, rows, columns
        By how much it is larger in each of them: networks see less at the ends.
    """

    brightness: Float64[ndarray, " n"]
    level: Float64[ndarray, " n"]
    frames: Float64[ndarray, " t"]
    rows: Float64[ndarray, " y"]
    columns: Float64[ndarray, " x"]

    def at(self, fused: Real[ndarray, "t y x"]) -> Float32[ndarray, "t y x"]:
        """Give the level at an estimate's brightness, in counts, between bins linear.

        Parameters
        ----------
        fused
            Counts of shape (t, y, x), of the movie that the level was measured for.
        """
        level = np.empty(fused.shape, np.float32)
        place = np.outer(self.rows, self.columns)
        for frame, share, out in zip(fused, self.frames, level, strict=True):
            out[:] = np.interp(frame, self.brightness, self.level) * place * share
        return level


def noise_only_disagreement(
    denoising: Denoising,
    fused: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
    *,
    n_draws: int = 1,
    rng: np.random.Generator,
) -> NoiseDisagreement:
    """Measure the disagreement that noise alone makes, as `measuring_disagreement`."""
    return exhausted(
        measuring_disagreement(denoising, fused, measurement, n_draws=n_draws, rng=rng)
    )


def measuring_disagreement(
    denoising: Denoising,
    fused: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
    *,
    n_draws: int = 1,
    rng: np.random.Generator,
) -> Generator[Progress, None, NoiseDisagreement]:
    """Denoise draws of noise around an estimate and see how far directions differ.

    Parameters
    ----------
    denoising
        As `napari_lowdose.denoiser.Denoiser.denoising`, which tells its progress.
    fused
        The estimate that stands for the truth, of shape (t, y, x), in counts.
    measurement
        The detector.
    n_draws
        Movies to be denoised; one has many voxels of each brightness.
    rng
        Where the noise comes from.

    Returns
    -------
    NoiseDisagreement
        At each brightness the median over its voxels, so that edges and what moves,
        where directions differ without noise, count little.

    Raises
    ------
    ValueError
        If the denoiser looks from one direction only.

    References
    ----------
    Notes on algorithms, section 27.
    """
    squared = []
    for draw in range(n_draws):
        movie = recorded_again(fused, measurement, rng)
        steps = denoising(movie)
        denoised = yield from part_of(steps, draw, n_draws)
        if denoised.disagreement is None:
            raise ValueError(
                "expected a denoiser that looks from several directions, got one of a "
                "single direction; choose another model, or more directions"
            )
        squared.append(_smooth_square(denoised.disagreement))
    return _by_place(fused, np.mean(squared, axis=0))


def _by_place(
    fused: Real[ndarray, "t y x"], squared: Float32[ndarray, "t y x"]
) -> NoiseDisagreement:
    """Find how the level goes with brightness, then how with frames, rows, columns."""
    brightness, level = _by_brightness(fused, squared)
    expected = np.interp(fused, brightness, level)
    relative = squared / np.maximum(expected, 1e-6 * level.max() + 1e-30) ** 2
    t, y, x = (
        np.sqrt(np.median(relative, axis=others)).astype(np.float64)
        for others in ((1, 2), (0, 2), (0, 1))
    )
    return NoiseDisagreement(brightness, level, t, y, x)


def _by_brightness(
    fused: Real[ndarray, "t y x"], squared: Float32[ndarray, "t y x"]
) -> tuple[Float64[ndarray, " n"], Float64[ndarray, " n"]]:
    """Take the median in bins of brightness, some even and some evenly filled."""
    flat = fused.ravel().astype(np.float64)
    shares = np.linspace(0, 1, _N_BINS + 1)[1:-1]
    low, high = float(flat.min()), float(flat.max())
    edges = np.union1d(np.quantile(flat, shares), low + shares * (high - low))
    bins = np.digitize(flat, edges)
    order = np.argsort(bins, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(bins))[:-1])
    # Few voxels say little, but all of them together are what there is.
    full = [part for part in parts if len(part) >= _FEWEST_VOXELS] or [order]
    brightness = [flat[part].mean() for part in full]
    level = [np.sqrt(np.median(squared.ravel()[part])) for part in full]
    return np.array(brightness), np.array(level, np.float64)


def disagreement_z(
    disagreement: Float[ndarray, "t y x"], level: Float[ndarray, "t y x"]
) -> Float32[ndarray, "t y x"]:
    """Compare the directions' disagreement with what noise alone makes of it.

    It is ``U^2 / U_0^2 - 1``, with the squared disagreement smoothed by a Gaussian of
    two pixels and frames: near zero where there is nothing but noise, large at motion,
    edges, and what is not supported by all directions.

    Parameters
    ----------
    disagreement
        As `napari_lowdose.fusion.disagreement`, in counts.
    level
        `NoiseDisagreement.at` of the fused estimate.

    References
    ----------
    Notes on algorithms, section 27.
    """
    least = np.float32(1e-6) * max(float(level.max()), 1e-30)
    ratio: ndarray = _smooth_square(disagreement)
    ratio /= np.maximum(level.astype(np.float32), least) ** 2
    return ratio - np.float32(1)


def _smooth_square(disagreement: Float[ndarray, "t y x"]) -> Float32[ndarray, "t y x"]:
    square = np.square(disagreement, dtype=np.float32)
    smooth: ndarray = ndimage.gaussian_filter(square, _SMOOTHING, mode="reflect")
    return smooth


def coverage_constant(
    error: Float[ndarray, "t y x"],
    disagreement: Float[ndarray, "t y x"],
    *,
    share: float = 0.9,
) -> float:
    """Find the multiple of the smoothed disagreement that covers most errors.

    Parameters
    ----------
    error
        Estimate minus truth, of a simulated movie, in counts.
    disagreement
        Of the directions, in counts.
    share
        Of the voxels whose error shall be smaller, between 0 and 1.

    References
    ----------
    Notes on algorithms, section 27; conformal prediction has the same quantile.
    """
    return float(np.quantile(_ratio(error, disagreement), share))


def coverage(
    error: Float[ndarray, "t y x"],
    disagreement: Float[ndarray, "t y x"],
    *,
    constant: float,
) -> float:
    """Give the share of voxels whose error is below a multiple of the disagreement.

    Parameters
    ----------
    error, disagreement
        As in `coverage_constant`, of another movie than the constant is from.
    constant
        The multiple.
    """
    return float(np.mean(_ratio(error, disagreement) < constant))


def _ratio(error: ndarray, disagreement: ndarray) -> Float32[ndarray, "t y x"]:
    spread = np.sqrt(_smooth_square(disagreement))
    ratio: ndarray = np.abs(error) / np.maximum(spread, np.float32(1e-30))
    return ratio.astype(np.float32)
