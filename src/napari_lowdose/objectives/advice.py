"""Which way of training suits a stack, from what was measured of its noise."""

from __future__ import annotations

from collections.abc import Mapping

from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.objectives.registry import OBJECTIVES
from napari_lowdose.objectives.verdict import Fit, Verdict

_WORDS = {
    Fit.SUITS: "suits",
    Fit.CAREFUL: "may do",
    Fit.AVOID: "should be avoided",
}


def advise(measurement: NoiseMeasurement) -> Mapping[str, Verdict]:
    """Ask each objective whether it suits the data.

    Parameters
    ----------
    measurement
        What `napari_lowdose.noise.measure_noise` read off the stack.

    Returns
    -------
    mapping
        One verdict per name in `OBJECTIVES`, what suits first.
    """
    verdicts = {name: each.verdict(measurement) for name, each in OBJECTIVES.items()}
    order = list(Fit)
    return dict(sorted(verdicts.items(), key=lambda item: order.index(item[1].fit)))


def advice_sentences(measurement: NoiseMeasurement) -> tuple[str, ...]:
    """Say the advice, a sentence per objective, what suits first."""
    return tuple(
        f"{name.capitalize()} {_WORDS[verdict.fit]}: {verdict.reason}."
        for name, verdict in advise(measurement).items()
    )
