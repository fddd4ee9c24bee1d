"""Whether a particle is there in each frame, or has faded, or was noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int, Real
from numpy import ndarray
from scipy import special

from napari_lowdose.particles.courses import frames_of_tracks
from napari_lowdose.particles.ground import Ground
from napari_lowdose.particles.surroundings import (
    check_settings,
    columns_of,
    nearest_spot,
    window_radius_px,
)
from napari_lowdose.particles.track_counts import TrackCounts

_ROUNDS = 4  # of amplitude and states in turn
# Deviations of its mean that a track's amplitude is at least taken to have: of nothing
# one could never say that it is gone.
_LEAST_AMPLITUDE = 3.0
_MANY_PIXELS = 15_000_000  # kept at once, as three numbers each
_COLUMNS = (
    *(("track", "int64"), ("frame", "int64"), ("y", "f8"), ("x", "f8")),
    *(("sigma", "f8"), ("present", "f8"), ("log_odds", "f8")),
    *(("amplitude", "f8"), ("amplitude_std", "f8"), ("detected", "bool")),
)


def presence(
    electrons: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    *,
    p_on: float = 0.02,
    p_off: float = 0.02,
    readout_variance: float = 0.0,
    excess: float = 1.0,
    ground: Ground | Real[ndarray, "t y x"] = Ground.ANNULUS,
) -> pd.DataFrame:
    """Tell from all raw counts of its track whether a particle is there in a frame.

    Parameters
    ----------
    electrons, spots, p_on, p_off, readout_variance, excess, ground
        As in `presence_courses`.

    Returns
    -------
    pandas.DataFrame
        The spots with the column present: the chance, from 0 to 1.

    Raises
    ------
    ValueError
        As `presence_courses`.

    References
    ----------
    Notes on algorithms, section 28.5.
    """
    courses = presence_courses(
        electrons,
        spots,
        p_on=p_on,
        p_off=p_off,
        readout_variance=readout_variance,
        excess=excess,
        ground=ground,
    )
    keys = ["track", "frame"]
    found = courses.set_index(keys)["present"]
    rows = pd.MultiIndex.from_frame(spots[keys])
    return spots.assign(present=found.reindex(rows).to_numpy(np.float64))


def presence_courses(
    electrons: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    *,
    p_on: float = 0.02,
    p_off: float = 0.02,
    readout_variance: float = 0.0,
    excess: float = 1.0,
    ground: Ground | Real[ndarray, "t y x"] = Ground.ANNULUS,
) -> pd.DataFrame:
    """Follow each track through the raw counts, also where nothing was detected.

    In every frame a particle is there, with the one amplitude of its track, or not; it
    comes and goes with small chances. Each change of state costs ``ln((1 - p) / p)``,
    3.9 at 2 %: a fading of a single frame is believed only for log-odds beyond 7.8. The
    amplitude is the mean over the frames, each weighed by the chance that the particle
    is there; the two are found in turn.

    Parameters
    ----------
    electrons
        Recorded quanta (t, y, x).
    spots
        One row per spot: track, frame, y, x, sigma, and perhaps response.
    p_on, p_off
        Chances that a particle comes and goes from one frame to the next.
    readout_variance, excess, ground
        As in `test_spots`.

    Returns
    -------
    pandas.DataFrame
        One row per frame of each track, from two frames before its first spot to two
        frames after its last one: track, frame, y, x (where nothing was detected, on a
        line between the spots), sigma, present (the chance), log_odds (of the frame's
        own counts), amplitude (fitted to these alone, of either sign), amplitude_std,
        detected. Sorted by track and frame.

    Raises
    ------
    ValueError
        As `test_spots`, or if there is no column track or a chance is not possible.

    Notes
    -----
    The amplitude is learnt from the counts that are then judged. A track of one spot,
    found in these counts, has the advantage of that.

    References
    ----------
    L. R. Rabiner, Proc. IEEE 77, 257 (1989); Notes on algorithms, section 28.5.
    """
    check_settings(electrons, spots, readout_variance, excess, ground)
    if "track" not in spots:
        raise ValueError("expected spots with a track; link them first")
    if not (0 < p_on < 1 and 0 < p_off < 1):
        raise ValueError(
            "expected chances above 0 and below 1 that a particle comes and goes, got"
            f" {p_on} and {p_off}"
        )
    if spots.empty:
        return no_courses()
    courses = frames_of_tracks(spots, len(electrons))
    crowd = nearest_spot(columns_of(spots), electrons.shape)
    found = []
    for block in _blocks(courses):
        counts = TrackCounts(electrons, block, crowd, readout_variance, ground)
        found.append(_judged(block, counts, excess, p_on, p_off))
    return pd.concat(found, ignore_index=True)[[name for name, _ in _COLUMNS]]


def no_courses() -> pd.DataFrame:
    """Give the table of `presence_courses` without rows."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS})


def _blocks(courses: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Take whole tracks together whose windows fit into the memory."""
    n_pixels = np.cumsum(np.pi * window_radius_px(columns_of(courses)[3]) ** 2)
    track = courses["track"].to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(track, prepend=-1))
    block = n_pixels[starts] // _MANY_PIXELS
    cuts = starts[np.flatnonzero(np.diff(block, prepend=-1.0))]
    for start, stop in zip(cuts, [*cuts[1:], len(courses)], strict=True):
        yield courses.iloc[start:stop]


def _judged(
    courses: pd.DataFrame,
    counts: TrackCounts,
    excess: float,
    p_on: float,
    p_off: float,
) -> pd.DataFrame:
    """Find amplitudes and states of some tracks in turn."""
    frame = courses["frame"].to_numpy(np.int64)
    _, first, track = np.unique(
        courses["track"].to_numpy(np.int64), return_index=True, return_inverse=True
    )
    sign = courses["sign"].to_numpy(np.int64)
    since = frame - frame[first][track]
    grid = np.zeros((len(first), int(since.max()) + 1))
    present = courses["detected"].to_numpy(np.float64)
    odds = np.zeros(len(frame))
    for _ in range(_ROUNDS):
        typical = _typical(counts.amplitude, counts.amplitude_std, present, track, sign)
        odds = counts.log_odds(typical[track]) / excess
        grid[track, since] = odds
        present = _present(grid, p_on, p_off)[track, since]
    return courses.assign(
        present=present,
        log_odds=odds,
        amplitude=counts.amplitude,
        amplitude_std=counts.amplitude_std * np.sqrt(excess),
    )


def _typical(
    amplitude: Float64[ndarray, " n"],
    std: Float64[ndarray, " n"],
    present: Float64[ndarray, " n"],
    track: Int[ndarray, " n"],
    sign: Int[ndarray, " n"],
) -> Float64[ndarray, " tracks"]:
    """Average each track's amplitude over the frames in which it is present."""
    told = np.isfinite(std)
    weight = np.where(told, present, 0.0)
    n = np.maximum(np.bincount(track, weight), 1.0)
    mean = np.bincount(track, weight * np.where(told, sign * amplitude, 0.0)) / n
    squares = np.bincount(track, np.where(told, std, 0.0) ** 2)
    variance = squares / np.maximum(np.bincount(track, told), 1)
    least = _LEAST_AMPLITUDE * np.sqrt(variance / n)
    tracks_sign = np.ones(len(n))
    tracks_sign[track] = sign
    typical: ndarray = tracks_sign * np.maximum(mean, least)
    return typical


def _present(
    odds: Float64[ndarray, "tracks t"], p_on: float, p_off: float
) -> Float64[ndarray, "tracks t"]:
    """Weigh each frame's log-odds with those before and after it.

    Messages of the forward-backward algorithm, as log-odds. Frames without counts have
    zero, and say nothing.
    """
    before, after = np.zeros_like(odds), np.zeros_like(odds)
    before[:, 0] = np.log(p_on / p_off)  # as often as it is there in the long run
    stays, goes = np.log1p(-p_off), np.log(p_off)
    comes, stays_away = np.log(p_on), np.log1p(-p_on)
    for t in range(1, odds.shape[1]):
        here = before[:, t - 1] + odds[:, t - 1]
        before[:, t] = np.logaddexp(stays + here, comes)
        before[:, t] -= np.logaddexp(goes + here, stays_away)
    for t in range(odds.shape[1] - 2, -1, -1):
        here = after[:, t + 1] + odds[:, t + 1]
        after[:, t] = np.logaddexp(stays + here, goes)
        after[:, t] -= np.logaddexp(comes + here, stays_away)
    chance: ndarray = special.expit(before + odds + after)
    return chance
