"""Whether the noise of a pixel knows that of its neighbours and of other frames."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray
from scipy.fft import dct, dctn

from napari_lowdose.noise.cells import Sorting
from napari_lowdose.noise.differences import Differences, spread_windows, steadied

_REACH = 2
_N_FRAMES = 12
_N_LAGS = 3
_EDGE_PX = 16
_FEWEST = 20  # pixels of a tile that do not move
_GAPS = (1, 2, 3, 4)  # frames
_FINEST = 0.75  # of the highest frequency along a row
_FEWEST_FRAMES = 8
_LEAST_SHARED = 0.035  # of 110 simulated movies without any at most 0.023 was found
_SIGMAS = 4.0
_CHANCE = 0.5  # standard errors of the correlation
_FLAT = 0.8
_GROWTH = 1.5  # of what has moved after one frame, over what moves in the next
# Things of 0.7 px deviation, narrower than optics are sampled, that move: their
# correlation one pixel away, over that two pixels away.
_NARROWEST = 5.0
# One half of the map; the noise of two pixels is the same either way.
_SHIFTS = [
    (y, x)
    for y in range(_REACH + 1)
    for x in range(-_REACH, _REACH + 1)
    if (y, x) >= (0, 0)
]


def neighbour_correlation(
    differences: Differences, sorting: Sorting
) -> tuple[Float[ndarray, "5 5"], float]:
    """Correlate the noise with that of pixels up to two away, where nothing moves.

    Returns
    -------
    correlation
        1 at the centre, point-symmetric: the median over tiles.
    std
        Standard error of its least certain entry.
    """
    tiles = sum(
        _products(d.noise, sorting.variance(d.guide), sorting.motion(d) < 1)
        for d in differences.read(_N_FRAMES)
    )
    product, number = np.asarray(tiles)
    still = (number > _FEWEST).all(axis=0) & (product[0] > 0)
    rho = (product / np.maximum(number, 1))[:, still]
    rho = rho / rho[0] if still.any() else np.eye(1, len(_SHIFTS)).T
    half = np.median(rho, axis=1)
    # A median over n is known to 1.25 standard deviations over the root of n.
    std = 1.2533 * rho[1:].std(axis=1).max() / np.sqrt(rho.shape[1])
    # Few tiles tell their own scatter badly; independent pixels have at least this.
    std = max(std, 1.2533 / np.sqrt(max(number[:, still].sum(axis=1).min(), 1)))
    correlation = np.empty((5, 5))
    for (y, x), value in zip(_SHIFTS, half, strict=True):
        correlation[_REACH + y, _REACH + x] = value
        correlation[_REACH - y, _REACH - x] = value
    if differences.n_frames == 1:
        correlation -= _of_second_differences()
    correlation[_REACH, _REACH] = 1.0
    return correlation, float(std)


def moved_share(
    differences: Differences,
    sorting: Sorting,
    correlation: Float[ndarray, "5 5"],
    std: float,
) -> float:
    """Tell by how much moving things may have raised the correlation.

    Noise is as alike in frames that are far apart as in neighbouring ones; what moves
    differs the more the further apart, or now more, now less, where it repeats itself.

    Parameters
    ----------
    differences, sorting
        Those that the correlation was read from.
    correlation, std
        Of the noise, and its standard error.

    Returns
    -------
    float
        To be taken off the largest entry; 1 where frames cannot be compared.
    """
    if differences.n_frames < 3:
        return 1.0
    here = np.array([correlation[_REACH + y, _REACH + x] for y, x in _SHIFTS])
    around = np.abs(here[1:])
    if around.min() > _FLAT * around.max():
        return 1.0  # the noise of a detector fades within two pixels, what moves hardly
    by_gap = _by_gap(differences, sorting)
    if len(by_gap) < 2:
        return 1.0
    seen = np.sign(here) * np.vstack([here, by_gap])
    growth = np.maximum(np.abs(seen[2] - seen[1]) - _CHANCE * std, 0)
    left = seen.min(axis=0) - _GROWTH * growth
    moved = min(seen[0, 1:].max() - left[1:].max(), most_moved(correlation, std))
    return float(np.clip(moved, 0, 1))


def most_moved(correlation: Float[ndarray, "5 5"], std: float) -> float:
    """Bound what moves by what reaches two pixels, where filtered noise has faded.

    Parameters
    ----------
    correlation, std
        As `neighbour_correlation` gives them.
    """
    far = np.abs(correlation).copy()
    far[1:-1, 1:-1] = 0
    return _NARROWEST * float(far.max() + std)


def _by_gap(differences: Differences, sorting: Sorting) -> Float[ndarray, "gaps n"]:
    """Correlate differences of frames that are 1, 2, ... frames apart."""
    sums: dict[int, ndarray] = {}
    frames = differences.frames(_N_FRAMES)
    for t, d in zip(frames, differences.read(_N_FRAMES), strict=True):
        variance, still = sorting.variance(d.guide), sorting.motion(d) < 1
        for gap in _GAPS:
            noise = differences.apart(t, gap)
            if noise is not None:
                products = _products(steadied(noise, d.guide), variance, still)
                sums[gap] = sums.get(gap, 0) + products
    if 1 not in sums:
        return np.zeros((0, len(_SHIFTS)))
    product, number = sums[1]
    told = (number > _FEWEST).all(axis=0) & (product[0] > 0)
    if not told.any():
        return np.zeros((0, len(_SHIFTS)))
    power = product[0, told] / number[0, told]
    seen = [
        np.median((p / np.maximum(n, 1))[:, told] / power, axis=1)
        for p, n in (sums[gap] for gap in sorted(sums))
    ]
    return np.asarray(seen)


def _of_second_differences() -> Float[ndarray, "5 5"]:
    """Give the correlation that independent noise gets along y and x."""
    line = np.array([1, -4, 6, -4, 1]) / 6
    return np.outer(line, line)


def _products(
    noise: Float[ndarray, "y x"], variance: Float[ndarray, "y x"], still: ndarray
) -> Float[ndarray, "2 shifts tiles"]:
    """Multiply still pixels of unit noise with their neighbours; add up over tiles."""
    weight = still.astype(np.float32)
    unit = noise * weight / np.sqrt(np.maximum(variance, 1e-30))
    height, width = (n - 2 * _REACH for n in noise.shape)
    middle = (slice(0, height), slice(_REACH, _REACH + width))
    sums = []
    for part in (unit, weight):
        sums.append([
            _tile_sums(
                part[middle]
                * part[y : y + height, _REACH + x : _REACH + x + width]
            )
            for y, x in _SHIFTS
        ])  # fmt: skip
    return np.asarray(sums)


def _tile_sums(values: Float[ndarray, "y x"]) -> Float[ndarray, " tiles"]:
    """Add up over tiles; ragged rims are left out."""
    edge = min(_EDGE_PX, *values.shape)
    rows, columns = (n // edge for n in values.shape)
    whole = np.ascontiguousarray(values[: rows * edge, : columns * edge])
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    sums: ndarray = means.reshape(-1).astype(np.float64) * edge**2
    return sums


def shared_with_next(stack: Real[ndarray, "t y x"]) -> float:
    """Correlate the noise with that of the next frame, at the finest details alone.

    Of these specimens show hardly anything that changes fast, and noise does: if it is
    independent, all high temporal frequencies have the same power, else it falls with
    their cosine.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).

    Returns
    -------
    float
        The correlation; 0 if it is no more than chance or specimens make, and for
        fewer than 8 frames.
    """
    n_frames = len(stack)
    if n_frames < _FEWEST_FRAMES:
        return 0.0
    places = (np.arange(n) / n for n in stack.shape[1:])
    fine = np.hypot(*np.meshgrid(*places, indexing="ij")) >= _FINEST
    if not fine.any():
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # refused where noise is read
        details = [dctn(f.astype(np.float32), norm="ortho")[fine] for f in stack]
        in_time = dct(np.stack(details), axis=0, norm="ortho")
        power = np.square(in_time).mean(axis=1, dtype=np.float64)
    if not np.isfinite(power).all():
        return 0.0
    fast = np.arange(n_frames) >= n_frames / 2
    cosine = np.cos(np.pi * np.arange(n_frames) / n_frames)[fast]
    line = np.stack([np.ones_like(cosine), 2 * cosine], axis=1)
    (mean, slope), *_ = np.linalg.lstsq(line, power[fast], rcond=None)
    if not mean > 0:
        return 0.0
    chance = np.linalg.inv(line.T @ line)[1, 1] * 2 / np.count_nonzero(fine)
    shared = slope / mean
    certain = shared > max(_LEAST_SHARED, _SIGMAS * float(np.sqrt(chance)))
    return float(shared) if certain else 0.0


def temporal_correlation(stack: Real[ndarray, "t y x"]) -> Float[ndarray, " lags"]:
    """Correlate the noise with that of the same pixels in later frames.

    Differences that share no frame are compared, so that differencing makes none: of
    d(t) and d(t + k), k > 1, the mean product is 2 c(k) - c(k - 1) - c(k + 1). Beyond
    the last lag the noise is taken to be independent.

    Returns
    -------
    ndarray
        1 first; no more than that for fewer than four frames.
    """
    n_lags = min(_N_LAGS, len(stack) // 2 - 1)
    if n_lags < 1:
        return np.ones(1)
    products: dict[int, list[ndarray]] = {}
    last = len(stack) - n_lags - 3
    for start in sorted({int(t) for t in np.linspace(0, last, _N_FRAMES)}):
        frames = [
            spread_windows(frame).astype(np.float32)
            for frame in stack[start : start + n_lags + 3]
        ]
        steps = np.diff(np.stack(frames), axis=0)
        steps -= steps.mean(axis=(1, 2), keepdims=True)  # flicker is no noise
        for gap in (0, *range(2, n_lags + 2)):
            products.setdefault(gap, []).append(_tile_sums(steps[0] * steps[gap]))
    seen = {gap: np.mean(sums, axis=0) for gap, sums in products.items()}
    covariance = np.zeros((n_lags + 1, len(seen[0])))
    for lag in range(1, n_lags + 1):
        for further in range(1, n_lags + 2 - lag):
            covariance[lag] -= further * seen[lag + further]
    covariance[0] = seen[0] / 2 + covariance[1]
    alive = covariance[0] > 0
    if not alive.any():
        return np.ones(1)
    lags: ndarray = np.median(covariance[:, alive] / covariance[0, alive], axis=1)
    return lags
