"""How likely each spot of an estimate is a phantom, and what to call it."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd
from jaxtyping import Float64
from numpy import ndarray

from napari_lowdose.particles.calibration import (
    GROUPS,
    Source,
    calibrations,
    p_phantom,
)

_LIKELY = 0.5
# So rarely noise has as much anywhere in the movie, or at a given place beside it.
_FAMILYWISE_LEVEL, _HELD_OUT_LEVEL = 0.05, 0.01
_SMEARED = 0.5  # of the frames around, by an event of a single one
# Spots that other frames hold beyond doubt tell how strong a movie's particles are.
_CONFIRMED_LEVEL, _FEWEST_CONFIRMED = 1e-4, 10


class Verdict(StrEnum):
    """What a spot is called."""

    SUPPORTED = "supported"
    SINGLE_FRAME = "unsupported in time"  # its own frame's raw counts have it
    PHANTOM = "phantom"
    MISSED = "missed"  # the raw counts have it, the estimate does not


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

    A spot that is far fainter than the particles of its movie is rather a phantom than
    the same spot among faint particles. So the table should hold all spots of a movie.

    Parameters
    ----------
    table
        One row per spot: sigma, n_std (`detect_above`), and any of evidence,
        p_familywise and background (`test_spots`), held_out_evidence and p_held_out
        (`test_in_neighbours`), support and track_frames (`temporal_support`),
        direction_min and direction_spread (`direction_agreement`). What is missing is
        added, as NaN; typical_n_std, if missing, as `typical_strength` gives it.
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
    if "typical_n_std" not in table:
        table = table.assign(typical_n_std=typical_strength(table))
    table = table.assign(**{name: np.nan for name in names if name not in table})
    chance = p_phantom(table, calibrations()[source])
    return table.assign(p_phantom=chance, verdict=_verdicts(table, chance))


def typical_strength(table: pd.DataFrame) -> float:
    """Tell how strong those spots of a movie are that other frames confirm.

    Parameters
    ----------
    table
        All spots of a movie: n_std, and p_held_out where the frames beside were asked.

    Returns
    -------
    float
        The median of their n_std; NaN where fewer than 10 spots have a p_held_out of
        1e-4 or less.
    """
    if "p_held_out" not in table:
        return float("nan")
    confirmed = table["n_std"].notna() & (table["p_held_out"] <= _CONFIRMED_LEVEL)
    if confirmed.sum() < _FEWEST_CONFIRMED:
        return float("nan")
    return float(table.loc[confirmed, "n_std"].median())


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
