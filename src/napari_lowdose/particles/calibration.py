"""What evidence amounts to, as it was fitted to simulated movies."""

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
CERTAIN = 30.0  # of log-odds

Column = Float64[ndarray, " _"]


class Source(StrEnum):
    """The estimate that spots were found in."""

    FUSED = "fused"
    XY = "xy"  # the x-y direction alone, which cannot look at other frames


# Columns that are there together or not at all.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "same frame": ("evidence", "background"),
    "other frames": ("held_out_evidence",),
    "support": ("support", "track_frames"),
    "directions": ("direction_min", "direction_spread"),
    "movie": ("typical_n_std",),
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
    "typical_n_std": np.log,
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
        log_odds: ndarray = np.clip(found, -CERTAIN, CERTAIN)
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
