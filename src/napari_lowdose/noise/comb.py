"""The comb in the histogram, where the counts of whole electrons stand apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Real
from numpy import ndarray
from scipy.optimize import least_squares

_N_BINS = 2**13
_MOST_BINS = 2**17
_FEWEST_BINS = 6  # of a continuous histogram, from tooth to tooth
_PADDING = 8
_ANGLES = np.linspace(-0.9, 0.9, 25) * np.pi
_SIGNIFICANT = 8.0  # standard errors of the characteristic function
_MISFIT = 0.15  # of the part that a comb explains, at most
# The points of a spectrum are not quite independent: seen in the spread of many fits.
_CAUTION = 2.5
_MOST_LEVELS = 2000


@dataclass(frozen=True)
class Comb:
    """Equally spaced peaks in a histogram.

    Parameters
    ----------
    gain, gain_std
        Their distance, and its standard error, in counts.
    width, width_std
        Standard deviation of each, in counts: the readout noise.
    phase, phase_std
        Where they stand: the offset but for whole gains, in counts.
    """

    gain: float
    gain_std: float
    width: float
    width_std: float
    phase: float
    phase_std: float


def lattice_step(values: Real[ndarray, " n"]) -> float:
    """Find the step between the values of a digitised stack; 0 for continuous ones."""
    if values.dtype.kind in "ui":
        steps = np.diff(np.unique(values[:: -(-values.size // 2**20)]))
        return float(np.gcd.reduce(steps)) if len(steps) else 1.0
    levels = np.unique(values[:: -(-values.size // 50_000)].astype(np.float64))
    if not 2 <= len(levels) <= _MOST_LEVELS:
        return 0.0
    step = float(np.diff(levels).min())
    places = (levels - levels[0]) / step
    if np.abs(places - np.rint(places)).max() > 1e-2 or places[-1] > _MOST_BINS:
        return 0.0
    # One small difference of single-precision numbers is rounded; the span hardly is.
    return float((levels[-1] - levels[0]) / np.rint(places[-1]))


def find_comb(
    values: Real[ndarray, " n"], low: float, high: float, *, step: float
) -> Comb | None:
    """Look for a comb whose distance lies between two plausible gains.

    A count of k electrons stands at k gains, blurred by the readout noise: the
    characteristic function repeats itself after 2 pi / gain, but for the blur,
    whatever the specimen is and however it moves.

    Parameters
    ----------
    values
        Counts, of any pixels.
    low, high
        Plausible gains, in counts.
    step
        Of the digitiser, whose own comb is left out; 0 if there is none.
    """
    low = max(low, 2 * step, 0.02 * high)
    if high <= low:
        return None
    spectrum = _Spectrum.of(values, step)
    if spectrum is None:
        return None
    low = max(low, _FEWEST_BINS * spectrum.bin_width if not step else 0.0)
    if high <= low:
        return None
    slow, fast = 2 * np.pi / high, 2 * np.pi / low
    # Eight steps per finest detail of the spectrum.
    n_steps = 8 * (fast - slow) * spectrum.extent / (2 * np.pi)
    speeds = np.linspace(slow, fast, int(np.clip(n_steps, 64, 1500)))
    seen = np.abs(spectrum(speeds)) > _SIGNIFICANT / np.sqrt(spectrum.n)
    gains = 2 * np.pi / speeds[seen]
    misfits = [spectrum.misfit(gain) for gain in gains]
    if not misfits or not np.isfinite(min(misfits)):
        return None
    return spectrum.fit(float(gains[np.argmin(misfits)]))


@dataclass(frozen=True)
class _Spectrum:
    """The characteristic function of counts about `centre`, on a fine grid."""

    table: Complex[ndarray, " w"]
    spacing: float
    centre: float
    extent: float
    bin_width: float
    n: int

    @classmethod
    def of(cls, values: Real[ndarray, " n"], step: float) -> _Spectrum | None:
        """Transform the histogram; None where the counts spread too far for one."""
        sample = values[:: -(-len(values) // 200_000)]
        low, high = (float(q) for q in np.quantile(sample, (0.0005, 0.9995)))
        margin = 0.25 * (high - low)
        width = step or 1.5 * (high - low) / _N_BINS
        # The values of a digitiser stand in the middle of their bins.
        low = (np.floor((low - margin) / width) - 0.5) * width
        n_bins = int(np.ceil((high + margin - low) / width))
        if not 4 <= n_bins <= _MOST_BINS:
            return None
        places = (values.astype(np.float32) - np.float32(low)) * np.float32(1 / width)
        inside = places[(places >= 0) & (places < n_bins)].astype(np.int32)
        counts = np.bincount(inside, minlength=n_bins).astype(float)
        middle = n_bins // 2
        size = _PADDING * max(n_bins, 2048)
        padded = np.zeros(size)
        padded[:n_bins] = counts / counts.sum()
        table = np.conj(np.fft.rfft(np.roll(padded, -middle)))
        return cls(
            table,
            spacing=2 * np.pi / (size * width),
            centre=low + (middle + 0.5) * width,
            extent=n_bins * width,
            bin_width=width,
            n=int(counts.sum()),
        )

    def __call__(self, speed: Float[ndarray, " n"]) -> Complex[ndarray, " n"]:
        """Interpolate; what the bins blur is undone."""
        place = np.minimum(np.abs(speed) / self.spacing, len(self.table) - 1.001)
        before = place.astype(np.int64)
        after = place - before
        value = self.table[before] * (1 - after) + self.table[before + 1] * after
        value = np.where(speed < 0, np.conj(value), value)
        blurred: ndarray = value / np.sinc(speed * self.bin_width / (2 * np.pi))
        return blurred

    def misfit(self, gain: float) -> float:
        """Share of the repeated spectrum that is unlike the first."""
        peak = self(np.array([2 * np.pi / gain]))[0]
        expected = self._repeated(gain, _blur_of(peak), float(np.angle(peak)))
        error = np.sum(np.abs(self._second(gain) - expected) ** 2)
        power = np.sum(np.abs(expected) ** 2)
        chance = 2 * len(_ANGLES) / self.n
        return float(error / power) if power > 20 * chance else np.inf

    def fit(self, gain: float) -> Comb | None:
        """Fit distance, width and place of the peaks."""
        peak = self(np.array([2 * np.pi / gain]))[0]
        turn = float(np.angle(peak))

        def error(numbers: Float[ndarray, " 3"]) -> Float[ndarray, " n"]:
            stretch, blur, turned = numbers
            expected = self._repeated(gain * stretch, blur, turn + turned)
            left = (self._second(gain * stretch) - expected) * np.sqrt(self.n)
            return np.concatenate([left.real, left.imag])

        start = np.array([1.0, max(_blur_of(peak), 0.003), 0.0])
        found = least_squares(error, start, x_scale=[1e-3, 1e-2, 0.1], max_nfev=40)
        stretch, blur, turned = (float(number) for number in found.x)
        gain *= stretch
        power = self.n * np.sum(np.abs(self._second(gain)) ** 2)
        if 2 * found.cost > _MISFIT * power or abs(stretch - 1) > 0.1:
            return None
        freedom = 2 * len(_ANGLES) - 3
        jacobian = np.asarray(found.jac)
        covariance = np.linalg.pinv(jacobian.T @ jacobian, hermitian=True)
        scale = _CAUTION * np.sqrt(max(2 * found.cost / freedom, 1))
        errors = scale * np.sqrt(np.diag(covariance))
        phase = (turn + turned) / (2 * np.pi) * gain + self.centre
        return Comb(
            gain,
            gain_std=gain * float(errors[0]),
            width=gain * abs(blur),
            width_std=gain * float(errors[1]),
            phase=float(phase % gain),
            phase_std=gain * max(float(errors[2]) / (2 * np.pi), 1e-3),
        )

    def _second(self, gain: float) -> Complex[ndarray, " n"]:
        return self((_ANGLES + 2 * np.pi) / gain)

    def _repeated(
        self, gain: float, blur: float, turn: float
    ) -> Complex[ndarray, " n"]:
        """Predict the second period from the first, by a blur in gains and a turn."""
        faster = (_ANGLES + 2 * np.pi) ** 2 - _ANGLES**2
        first = self(_ANGLES / gain)
        repeated: ndarray = first * np.exp(1j * turn - blur**2 / 2 * faster)
        return repeated


def _blur_of(peak: complex) -> float:
    """Read the width of the peaks, in gains, off the height of the repeated one."""
    return float(np.sqrt(-2 * np.log(np.clip(abs(peak), 1e-30, 1.0))) / (2 * np.pi))
