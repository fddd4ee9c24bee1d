"""How likely each spot of an estimate is a phantom, and what to call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64
from numpy import ndarray

_FILE = "suspicion.json"
# Beyond so many deviations from what was calibrated nothing changes any more.
_FARTHEST = 3.0
_LEAST_BACKGROUND = 0.02  # quanta per pixel
_LEAST_SPREAD, _MOST_SPREAD = 0.02, 3.0
_MANY_FRAMES = 64.0  # as the movies of the calibration have
_CERTAIN = 30.0  # of log-odds
_LIKELY = 0.5
# So rarely noise has as much anywhere in the movie, or at a given place beside it.
_FAMILYWISE_LEVEL, _HELD_OUT_LEVEL = 0.05, 0.01
_SMEARED = 0.5  # of the frames around, by an event of a single one

Column = Float64[ndarray, " _"]


class Verdict(StrEnum):
    """What a spot is called."""

    SUPPORTED = "supported"
    SINGLE_FRAME = "unsupported in time"  # its own frame's raw counts have it
    PHANTOM = "phantom"
    MISSED = "missed"  # the raw counts have it, the estimate does not


class Source(StrEnum):
    """The estimate that spots were found in."""

    FUSED = "fused"
    XY = "xy"  # the x-y direction alone, which cannot look at other frames


def suspicion(table: pd.DataFrame, *, source: Source = Source.FUSED) -> pd.DataFrame:
    """Weigh all evidence for each spot.

    The chance of being a phantom comes from a logistic regression on the evidence,
    fitted to simulated movies of all doses, whose background tells it the dose. Where
    some evidence is missing (no frames beside it, no tests, one direction) another fit
    without it is taken. It holds for spots that stand out of the estimate by 5
    deviations or more, in movies where as many of these are phantoms as in the
    calibration.

    A particle in a single frame has all evidence from other frames against it, whether
    it was there or not. If noise hardly has as much as its raw counts anywhere in the
    movie, it is called unsupported in time rather than a phantom.

    Parameters
    ----------
    table
        One row per spot: sigma, n_std (`detect_above`), and any of evidence,
        p_familywise and background (`test_spots`), held_out_evidence and p_held_out
        (`test_in_neighbours`), support and track_frames (`temporal_support`),
        direction_min and direction_spread (`direction_agreement`). What is missing is
        added, as NaN.
    source
        The estimate that the spots were found in.

    Returns
    -------
    pandas.DataFrame
        The table with the columns p_phantom and verdict. A row whose n_std is NaN was
        not found in the estimate (`missed`) and has no p_phantom.

    Raises
    ------
    ValueError
        If the table has no sigma or n_std.

    References
    ----------
    Notes on algorithms, section 26.3; ``suspicion.json`` tells what it was fitted to.
    """
    absent = [name for name in ("sigma", "n_std") if name not in table]
    if absent:
        raise ValueError(
            f"expected spots with {' and '.join(absent)}; find them by detect_above"
        )
    names = [column for columns in GROUPS.values() for column in columns]
    names += ["p_familywise", "p_held_out"]
    table = table.assign(**{name: np.nan for name in names if name not in table})
    chance = p_phantom(table, calibrations()[source])
    return table.assign(p_phantom=chance, verdict=_verdicts(table, chance))


# Columns that are there together or not at all.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "same frame": ("evidence", "background"),
    "other frames": ("held_out_evidence",),
    "support": ("support", "track_frames"),
    "directions": ("direction_min", "direction_spread"),
}
_ALWAYS = ("n_std", "sigma")
_TRANSFORMS: Mapping[str, Callable[[Column], Column]] = {
    "n_std": np.log,
    "sigma": np.log,
    "evidence": np.sqrt,
    "background": lambda b: np.log(np.maximum(b, _LEAST_BACKGROUND)),
    "held_out_evidence": np.sqrt,
    "support": lambda share: share,
    "track_frames": lambda n: np.log(np.minimum(n, _MANY_FRAMES)),
    "direction_min": lambda least: np.arcsinh(least / 3),
    "direction_spread": lambda v: np.log(np.clip(v, _LEAST_SPREAD, _MOST_SPREAD)),
}


@dataclass(frozen=True)
class Calibration:
    """A logistic regression on evidence, its squares and products.

    Parameters
    ----------
    centre, scale
        What is taken from each number, and what the rest is divided by.
    weights
        Of the constant, each number, and each product of two.
    """

    centre: Column
    scale: Column
    weights: Column

    def log_odds(self, evidence: Float64[ndarray, "n k"]) -> Float64[ndarray, " n"]:
        """Give the log-odds of being a phantom."""
        found = design(evidence, self.centre, self.scale) @ self.weights
        log_odds: ndarray = np.clip(found, -_CERTAIN, _CERTAIN)
        return log_odds


def numbers(table: pd.DataFrame, groups: Sequence[str]) -> Float64[ndarray, "n k"]:
    """Put some groups of evidence into numbers that a regression can use."""
    names = [*_ALWAYS, *(name for group in groups for name in GROUPS[group])]
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = [_TRANSFORMS[n](table[n].to_numpy(np.float64)) for n in names]
    return np.stack(columns, axis=1)


def design(
    evidence: Float64[ndarray, "n k"], centre: Column, scale: Column
) -> Float64[ndarray, "n m"]:
    """Give a constant, each number, and each product of two."""
    unit = np.clip((evidence - centre) / scale, -_FARTHEST, _FARTHEST)
    one, other = np.triu_indices(unit.shape[1])
    constant = np.ones((len(unit), 1))
    return np.concatenate([constant, unit, unit[:, one] * unit[:, other]], axis=1)


def p_phantom(
    table: pd.DataFrame, calibrated: Mapping[tuple[str, ...], Calibration]
) -> Float64[ndarray, " n"]:
    """Give the chance of being a phantom by what is known of each spot."""
    chance = np.full(len(table), np.nan)
    for groups, rows in known_groups(table).items():
        log_odds = calibrated[groups].log_odds(numbers(table[rows], groups))
        chance[rows] = 1 / (1 + np.exp(-log_odds))
    return chance


def known_groups(table: pd.DataFrame) -> Mapping[tuple[str, ...], Bool[ndarray, " n"]]:
    """Sort spots by the groups of evidence that are there."""
    found = table["n_std"].notna().to_numpy()
    known = [table[list(columns)].notna().all(axis=1) for columns in GROUPS.values()]
    each = np.stack([column.to_numpy() for column in known], axis=1)
    sorts = np.unique(each[found], axis=0)
    return {
        tuple(name for name, there in zip(GROUPS, sort, strict=True) if there): found
        & (each == sort).all(axis=1)
        for sort in sorts
    }


@cache
def calibrations() -> Mapping[Source, Mapping[tuple[str, ...], Calibration]]:
    """Read what the package ships."""
    content = files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return {
        Source(source): {
            tuple(one["groups"]): Calibration(
                *(np.array(one[name], np.float64) for name in _NUMBERS)
            )
            for one in some
        }
        for source, some in json.loads(content)["calibrations"].items()
    }


_NUMBERS = ("centre", "scale", "weights")


def described() -> Mapping[str, Any]:
    """Tell what the calibration was fitted to, and how to do it again."""
    content = files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    about: Mapping[str, Any] = json.loads(content)["about"]
    return about


def _verdicts(table: pd.DataFrame, chance: Float64[ndarray, " n"]) -> list[Verdict]:
    p_anywhere, p_beside, support = (
        table[name].to_numpy(np.float64)
        for name in ("p_familywise", "p_held_out", "support")
    )
    # Denoisers smear what is there once into the frames around it, which support it
    # then; the raw counts of these frames know better.
    most = np.where(np.isnan(p_beside), 0.0, _SMEARED)
    alone = (np.nan_to_num(support) <= most) & ~(p_beside <= _HELD_OUT_LEVEL)
    conditions = {
        Verdict.MISSED: table["n_std"].isna().to_numpy(),
        Verdict.SINGLE_FRAME: alone & (p_anywhere <= _FAMILYWISE_LEVEL),
        Verdict.PHANTOM: chance > _LIKELY,
    }
    names = [*conditions, Verdict.SUPPORTED]
    # The first one that holds counts.
    number = np.select([*conditions.values()], range(len(conditions)), len(conditions))
    return [names[each] for each in number.tolist()]
