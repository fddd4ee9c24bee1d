"""Bragg order: the finest lattice that an estimate shows, and raw counts confirm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int, Real
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.metrics.metric import Score
from napari_lowdose.metrics.spectrum import frequencies, spectrum

_BY_CHANCE = 0.01  # peaks per image
_LEAST_CYCLES = 8  # over the frame: below, shapes and not lattices make maxima
_SAME = 0.03  # relative difference of the spacings of one family
# Cycles per pixel: up to Nyquist's frequency, a filter's response is no longer round.
_HIGHEST = 0.45
_RING_CYCLES = 4
_ROUNDING = 1e-9  # of the highest power: what single precision leaves of nothing
_APART_PX = 5
_SURE = 3.0  # standard errors of the phases' agreement
_LEAST_PX = 32


@dataclass(frozen=True)
class BraggFamily:
    """Bragg peaks of one spacing.

    Parameters
    ----------
    spacing
        Of the lattice planes, in the unit of the pixel size.
    n_peaks
        Pairs of opposite peaks.
    agreement
        Mean cosine of the phase between raw counts and estimate, over peaks and frames:
        1 for the same lattice, 0 for an invented one.
    std_error
        Of the agreement, for phases by chance.
    order
        ``(h, k)`` of a hexagonal lattice; None if none was given.
    """

    spacing: float
    n_peaks: int
    agreement: float
    std_error: float
    order: tuple[int, int] | None = None

    @property
    def trusted(self) -> bool:
        """Whether the raw counts show the same planes: 3 standard errors."""
        return self.agreement > _SURE * self.std_error


@dataclass(frozen=True)
class LatticeOrder:
    """All families of Bragg peaks in an estimate, widest spacing first."""

    families: tuple[BraggFamily, ...]

    @property
    def finest(self) -> BraggFamily | None:
        """The family of the highest order that raw counts confirm."""
        trusted = [family for family in self.families if family.trusted]
        return min(trusted, key=lambda family: family.spacing) if trusted else None

    @property
    def resolution(self) -> float:
        """The finest trusted spacing; infinite where there is none."""
        return self.finest.spacing if self.finest else np.inf


def hexagonal_spacing(lattice_constant: float, h: int, k: int) -> float:
    """Give the spacing of the planes (hk) of a hexagonal lattice.

    ``a sqrt(3) / 2 / sqrt(h^2 + hk + k^2)``, in the unit of the lattice constant.

    Examples
    --------
    >>> [round(hexagonal_spacing(3.18, h, k), 3) for h, k in [(1, 0), (1, 1), (2, 0)]]
    [2.754, 1.59, 1.377]
    """
    return float(lattice_constant * np.sqrt(3) / 2 / np.sqrt(h * h + h * k + k * k))


def lattice_order(
    raw: Real[ndarray, "*t y x"],
    estimate: Real[ndarray, "..."],
    *,
    pixel_size: float = 1.0,
    lattice_constant: float | None = None,
) -> LatticeOrder:
    """Find the Bragg peaks of an estimate and ask the raw counts for their phases.

    A peak is the highest within 2 Fourier pixels and stands so far above the median of
    its ring that in one of 100 images of speckle one peak would. Beside sharp peaks, it
    takes no lattice to exist: give its constant where it is known.

    Parameters
    ----------
    raw
        Counts, (y, x) or (t, y, x). Best are some that the estimate has not seen: those
        that it was made of agree with it in whatever noise it has kept.
    estimate
        The denoised counts.
    pixel_size
        In the unit that spacings shall have.
    lattice_constant
        Of a hexagonal lattice; peaks off its orders by more than 3 % are left out.

    Raises
    ------
    ValueError
        If shapes differ or frames have less than 32 pixels along an axis.

    References
    ----------
    Notes on algorithms, section 24.6.
    """
    if raw.shape != estimate.shape or raw.ndim not in (2, 3):
        raise ValueError(
            "expected raw counts of the estimate's shape, (y, x) or (t, y, x), got "
            f"{raw.shape} and {estimate.shape}"
        )
    shape = raw.shape[-2:]
    if min(shape) < _LEAST_PX:
        raise ValueError(
            f"expected frames of at least {_LEAST_PX} x {_LEAST_PX} pixels, got "
            f"{shape[0]} x {shape[1]}"
        )
    power, agreement, n_frames = _compare(raw, estimate)
    peaks = _peaks(power, frequencies(*shape), shape)
    frequency = _refined(power, peaks, shape)
    cosines = agreement[peaks]
    families = []
    for member in _grouped(frequency, pixel_size, lattice_constant):
        some, order = member
        families.append(
            BraggFamily(
                spacing=pixel_size / float(frequency[some].mean()),
                n_peaks=len(some),
                agreement=float(cosines[some].mean()),
                # The cosine of a phase by chance has the variance 1/2.
                std_error=float(np.sqrt(0.5 / (len(some) * n_frames))),
                order=order,
            )
        )
    return LatticeOrder(tuple(sorted(families, key=lambda f: -f.spacing)))


def _compare(
    raw: ndarray, estimate: ndarray
) -> tuple[Float64[ndarray, "y k"], Float64[ndarray, "y k"], int]:
    """Average the estimate's power and the cosine of its phase from the raw one's."""
    shape = raw.shape[-2:]
    power, agreement, n = 0.0, 0.0, 0
    for noisy, clean in zip(
        raw.reshape(-1, *shape), estimate.reshape(-1, *shape), strict=True
    ):
        a, b = spectrum(noisy), spectrum(clean)
        size = np.abs(a) * np.abs(b)
        together = a.real * b.real + a.imag * b.imag
        agreement = agreement + together / np.where(size > 0, size, 1)
        power = power + np.abs(b).astype(np.float64) ** 2
        n += 1
    return np.asarray(power) / n, np.asarray(agreement, np.float64) / n, n


def _peaks(
    power: Float64[ndarray, "y k"], frequency: ndarray, shape: tuple[int, int]
) -> Bool[ndarray, "y k"]:
    """Mark local maxima far above the background of their ring."""
    least = min(shape)
    cycles = frequency * least
    background = _background(power, cycles)
    known = (cycles >= _LEAST_CYCLES) & (frequency <= _HIGHEST)
    height = np.log(known.sum() / _BY_CHANCE)
    # Rows are cyclic in Fourier space, columns are not.
    highest = ndimage.maximum_filter(power, _APART_PX, mode=("wrap", "nearest"))
    marks: ndarray = known & (power >= highest) & (power > height * background)
    # The first column holds both peaks of a pair.
    marks[shape[0] // 2 + 1 :, 0] = False
    return marks


def _background(
    power: Float64[ndarray, "y k"], cycles: ndarray
) -> Float64[ndarray, "y k"]:
    """Expect the power of speckle, by frequency alone, from medians over rings."""
    number = (cycles / _RING_CYCLES).astype(np.intp)
    index = np.arange(number.max() + 1)
    # Speckle is exponential, whatever its mean: its median is ln 2 of it.
    mean = np.asarray(ndimage.median(power, number, index)) / np.log(2)
    least = max(float(_ROUNDING * power.max()), 1e-300)
    centres = (index + 0.5) * _RING_CYCLES
    level = np.interp(cycles, centres, np.log(np.maximum(mean, least)))
    expected: ndarray = np.exp(level)
    return expected


def _refined(
    power: Float64[ndarray, "y k"], peaks: Bool[ndarray, "y k"], shape: tuple[int, int]
) -> Float64[ndarray, " n"]:
    """Give the peaks' frequencies between Fourier pixels: parabolas on log power."""
    row, column = np.nonzero(peaks)
    log = np.log(np.maximum(power, 1e-300))
    height, width = shape
    rim = (column == 0) | (column == power.shape[1] - 1)
    left, right = np.maximum(column - 1, 0), np.minimum(column + 1, power.shape[1] - 1)
    here = log[row, column]
    up, down = log[row - 1, column], log[(row + 1) % height, column]
    y = (row + height // 2) % height - height // 2 + _vertex(up, here, down)
    step = _vertex(log[row, left], here, log[row, right])
    x = column + np.where(rim, 0.0, step)
    frequency: ndarray = np.hypot(y / height, x / width)
    return frequency


def _vertex(before: ndarray, here: ndarray, after: ndarray) -> ndarray:
    """Find where a parabola through three points has its top, from the middle one."""
    bend = 2 * here - before - after
    off = (after - before) / np.where(bend > 0, 2 * bend, 1)
    vertex: ndarray = np.where(bend > 0, off, 0.0)
    return vertex


Group = tuple[Int[ndarray, " m"], tuple[int, int] | None]


def _grouped(
    frequency: Float64[ndarray, " n"], pixel_size: float, constant: float | None
) -> list[Group]:
    """Sort peaks into families of one spacing."""
    if not len(frequency):
        return []
    if constant is None:
        order = np.argsort(frequency)
        apart = np.diff(np.log(frequency[order])) > _SAME
        return [(some, None) for some in np.split(order, np.flatnonzero(apart) + 1)]
    spacing = pixel_size / frequency
    reach = int(np.ceil(constant / spacing.min())) + 1
    orders = [(h, k) for h in range(1, reach + 1) for k in range(h + 1)]
    planes = np.array([hexagonal_spacing(constant, h, k) for h, k in orders])
    off = np.abs(np.log(spacing[:, None] / planes))
    nearest = np.where(off.min(axis=1) < _SAME, off.argmin(axis=1), -1)
    return [
        (np.flatnonzero(nearest == i), orders[i]) for i in np.unique(nearest) if i >= 0
    ]


BRAGG = Score(
    unit="pixel-size unit",
    higher_is_better=False,
    range="2.2 pixels to infinity, in steps of the lattice's orders",
    summary="Finest lattice spacing with Bragg peaks in the estimate whose phases "
    "agree with the raw counts'. It lies where the estimate was made of these counts "
    "and kept a peak of their noise, and where stripes of the detector look like a "
    "lattice.",
)
BRAGG_AGREEMENT = Score(
    unit="",
    higher_is_better=True,
    range="-1 to 1",
    summary="Mean cosine of the phase between raw counts and estimate in the finest "
    "family of Bragg peaks, trusted or not: an invented lattice gets 0. Noise in the "
    "raw counts lowers it, and counts that the estimate has seen raise it.",
)
