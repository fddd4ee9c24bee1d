"""The evidence for one particle, in words."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from napari_lowdose.particles import Verdict

Row = Mapping[str, Any] | Mapping[Hashable, Any] | pd.Series

# What hardly comes by chance.
_RARE = 0.01
# In deviations of a direction's own fluctuations: seen, and hardly.
_SHOWN, _HINTED = 3.0, 1.0
_LEAST_P, _SMALL_P = 1e-12, 1e-3
_FEW = 10


def in_words(row: Row) -> str:
    """Tell what speaks for a particle and what against, in a few sentences.

    Parameters
    ----------
    row
        Of a table as `napari_lowdose.particles.suspicion` gives it. What is NaN, or is
        not there, is left out.

    Returns
    -------
    str
        Two to four short sentences.
    """
    missed = row.get("verdict") == Verdict.MISSED
    told = (
        "Not shown by the estimate" if missed else _time(row),
        _counts(row),
        _directions(row),
        _chance(row),
    )
    sentences = [
        f"{sentence[0].upper()}{sentence[1:]}." for sentence in told if sentence
    ]
    return " ".join(sentences) or "Nothing is known about it."


def _number(row: Row, name: str) -> float | None:
    """Give a value, or None where there is none."""
    value = row.get(name)
    return None if value is None or pd.isna(value) else float(value)


def _time(row: Row) -> str:
    support = _number(row, "support")
    if support is None:
        return ""
    share = Fraction(support).limit_denominator(4)
    frames = {
        Fraction(0): "none of the",
        Fraction(1, 2): "half of the",
        Fraction(1): "all",
    }
    told = frames.get(share, f"{share.numerator} of {share.denominator}")
    return f"seen in {told} neighbouring frames"


def _counts(row: Row) -> str:
    """Tell about its own frame, and about what the counts of all frames say."""
    proven = row.get("verdict") in {Verdict.SINGLE_FRAME, Verdict.MISSED}
    other = _anywhere(row) if proven else _around(row)
    return "; ".join(part for part in (_own_frame(row), other) if part)


def _own_frame(row: Row) -> str:
    amplitude, std = _number(row, "amplitude"), _number(row, "amplitude_std")
    if amplitude is None:
        return ""
    if amplitude == 0:
        return "the raw counts of its frame do not hold it"
    known = std is not None and math.isfinite(std)
    within = f" ± {_rounded(std)}" if std is not None and known else ""
    more = "more" if amplitude > 0 else "fewer"
    return (
        f"the raw counts of its frame hold {_rounded(abs(amplitude))}{within} quanta "
        f"{more} than around it"
    )


def _around(row: Row) -> str:
    p = _number(row, "p_held_out")
    if p is None:
        return ""
    told = "hold it too" if p <= _RARE else "do not show it"
    return f"those of the frames before and after {told} ({_p(p)})"


def _anywhere(row: Row) -> str:
    p = _number(row, "p_familywise")
    return "" if p is None else f"noise has as much anywhere in the movie with {_p(p)}"


def _directions(row: Row) -> str:
    least = _number(row, "direction_min")
    if least is None:
        return ""
    if least >= _SHOWN:
        return f"all directions show it, {least:.0f} times above their noise or more"
    hardly = "hardly shows" if least >= _HINTED else "does not show"
    return f"one of the directions {hardly} it"


def _chance(row: Row) -> str:
    if row.get("verdict") == Verdict.SINGLE_FRAME:
        return "no other frame confirms it"
    p = _number(row, "p_phantom")
    if p is None:
        return ""
    percent = 100 * p
    if percent < 1:
        told = "less than 1"
    else:
        told = f"{percent:.0f}" if percent <= 99 else "more than 99"
    return f"{told} % chance of being a phantom"


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= _FEW else f"{value:.2g}"


def _p(p: float) -> str:
    if p < _LEAST_P:
        return f"p < {_LEAST_P:.0e}"
    return f"p = {p:.0e}".replace("e-0", "e-") if p < _SMALL_P else f"p = {p:.2g}"
