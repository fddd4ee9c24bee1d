"""What a measurement of noise means, in sentences for a microscopist."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_lowdose.noise.measurement import Measured, NoiseMeasurement, Source

_DRIFTING = 0.02
_FEW_FRAMES = 5
_WIDE = 0.2
_ONE_SIDED = 3.0  # times the correlation along the other axis


def describe(measurement: NoiseMeasurement) -> tuple[str, ...]:
    """Say what the data are, from the dose to what spoils them.

    Parameters
    ----------
    measurement
        What `measure_noise` read off a stack.

    Returns
    -------
    tuple of str
        Full sentences, the most important first.
    """
    return (
        *_kind(measurement),
        *_numbers(measurement),
        *_correlation(measurement),
        *_flaws(measurement),
        *_caveats(measurement),
    )


def _kind(m: NoiseMeasurement) -> Iterator[str]:
    if m.counting:
        yield "The detector counts: the values are whole electrons or photons."
    else:
        yield (
            "The detector is analogue: electrons or photons are amplified, and "
            "readout noise is added."
        )
    if not _known(m.gain):
        yield "The dose cannot be told: the noise does not grow with the brightness."
    else:
        yield f"The mean dose is {_with_error(m.dose)} quanta per pixel and frame."


def _numbers(m: NoiseMeasurement) -> Iterator[str]:
    if m.counting and m.gain.value == 1 and m.offset.value == 0:
        return
    dark = f"the offset is {_with_error(m.offset)} counts ({m.offset.source})"
    if _known(m.gain):
        gain = f"{_with_error(m.gain)} counts per quantum ({m.gain.source})"
        yield f"The gain is {gain}; {dark}."
    else:
        yield f"The gain is below {m.gain.high:.2g} counts per quantum; {dark}."
    if m.counting and m.readout_std.value < 0.05 * m.gain.value:
        return
    electrons = m.readout_std.value / m.gain.value
    inside = f", {electrons:.2g} quanta" if _known(m.gain) else ""
    yield (
        f"The readout noise is {_with_error(m.readout_std)} counts{inside} "
        f"({m.readout_std.source})."
    )


def _correlation(m: NoiseMeasurement) -> Iterator[str]:
    if not m.correlation_told and (not m.alike or m.motion):
        yield (
            "Whether neighbouring pixels share noise cannot be told: the scene changes "
            "too much from frame to frame."
        )
    elif not m.correlated and not m.correlation_told:
        yield (
            "Whether neighbouring pixels share noise cannot be told: too few of them "
            "hold still."
        )
    elif not m.correlated:
        yield "The noise of neighbouring pixels is independent."
    else:
        below, beside = float(m.correlation[3, 2]), float(m.correlation[2, 3])
        along = ""
        if abs(beside) > _ONE_SIDED * abs(below):
            along = " along rows (x)"
        elif abs(below) > _ONE_SIDED * abs(beside):
            along = " along columns (y)"
        yield (
            f"Neighbouring pixels share noise{along}: the correlation is "
            f"{beside:.2f} with the next column and {below:.2f} with the next row."
        )
        if m.shared > 1.1 and m.gain.source is Source.MEASURED and _known(m.gain):
            yield (
                f"Over large areas the noise is {np.sqrt(m.shared):.2g} times what "
                "single pixels say; if the detector blurs, a quantum shows as "
                f"{m.shared * m.gain.value:.3g} counts and the dose is "
                f"{m.dose.value / m.shared:.3g}."
            )
    if m.lag_shared:
        yield (
            f"A frame shares noise with the next one (correlation {m.lags[1]:.2f}): "
            "afterglow, or frames that were averaged or interpolated."
        )


def _flaws(m: NoiseMeasurement) -> Iterator[str]:
    if m.saturated:
        yield (
            f"{_percent(m.saturated)} of the values are saturated: they stand at the "
            "highest value."
        )
    if m.clipped:
        yield (
            f"{_percent(m.clipped)} of the values are clipped at the lowest value; "
            "means of dark places are too high."
        )
    if abs(m.drift) > _DRIFTING:
        how = "rises" if m.drift > 0 else "falls"
        yield f"The brightness {how} by {_percent(abs(m.drift))} over the stack."
    if m.defects:
        yield f"{_percent(m.defects)} of the pixels are hot, dead or stuck."


def _caveats(m: NoiseMeasurement) -> Iterator[str]:
    if m.n_frames == 1:
        yield (
            "There is one frame only: the noise was read from neighbouring pixels, so "
            "fine texture counts as noise."
        )
    elif not m.alike:
        yield (
            "Neighbouring frames have nothing in common: the noise was read within "
            "each frame, so fine texture counts as noise."
        )
    elif 1 < m.n_frames < _FEW_FRAMES:
        yield (
            f"There are {m.n_frames} frames only: brightness was judged from "
            "neighbouring pixels; more frames make the numbers surer."
        )
    if m.offset.source is Source.ASSUMED:
        yield (
            f"The dark level is not told by the stack: {m.offset.value:.4g} counts "
            f"were assumed of {m.offset.low:.4g} to {m.offset.high:.4g}; give a dark "
            "frame, or the offset."
        )
    if m.gain.high - m.gain.low > 2 * _WIDE * m.gain.value:
        yield (
            "The gain is uncertain: there is too little contrast, too much motion or "
            "too much readout noise; flat frames would tell."
        )


def _known(number: Measured) -> bool:
    """Tell whether a number is better known than to a factor of about three."""
    return number.high < 3 * max(number.low, 1e-30)


def _with_error(number: Measured) -> str:
    """Write a number to the digits that are known of it."""
    half = (number.high - number.low) / 2
    if half <= 1e-6 * abs(number.value):
        return f"{number.value:.4g}"
    digits = max(-int(np.floor(np.log10(half))), 0)
    # Zero is added so that nothing is written as -0.
    value, low, high = (
        f"{round(each, digits) + 0.0:.{digits}f}"
        for each in (number.value, number.low, number.high)
    )
    if abs((number.high + number.low) / 2 - number.value) > 0.3 * half:
        return f"{value} ({low} to {high})"
    return f"{value} ± {half:.{digits}f}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
