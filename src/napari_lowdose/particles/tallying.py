"""What a table of particles says about a whole estimate, without the truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from napari_lowdose.particles.suspicion import Verdict

_LEAST_FRAMES = 10
_WINDOW = 5  # frames of the running median
_LIKELY = 0.5


def summary(
    particles: pd.DataFrame, n_frames: int, *, courses: pd.DataFrame | None = None
) -> Mapping[str, float]:
    """Sum up particles that were found, linked, tested and judged.

    Parameters
    ----------
    particles
        One row per particle and frame, as `suspicion` gives it.
    n_frames
        Of the movie.
    courses
        As `presence_courses` gives them, for the fade rate.

    Returns
    -------
    Mapping[str, float]
        Per frame: ``spots_per_frame``, ``phantoms_per_frame`` (expected: the sum of
        p_phantom; NaN where nothing is known about any), ``single_per_frame`` (in one
        frame only, though the raw counts have it) and ``missed_per_frame`` (in the raw
        counts, not in the estimate). ``tracks`` and ``median_track_frames``, without
        those of phantoms. ``flicker``: the deviation of the response from its running
        median over 5 frames, over its mean, in tracks of 10 spots or more; mean over
        tracks. ``fade_rate``: of the frames of such tracks in which the raw counts say
        that the particle is there, the share without a spot. NaN where there are none.

    References
    ----------
    Notes on algorithms, section 27.
    """
    missed = particles["verdict"].to_numpy() == Verdict.MISSED
    spots = particles[~missed]
    chances = spots["p_phantom"].to_numpy(np.float64)
    single = spots["verdict"].to_numpy() == Verdict.SINGLE_FRAME
    tracks = _likely_tracks(spots)
    length = tracks.groupby("track").size()
    unknown = len(chances) > 0 and bool(np.isnan(chances).all())
    return {
        "spots_per_frame": len(spots) / n_frames,
        "phantoms_per_frame": np.nan
        if unknown
        else float(np.nansum(chances)) / n_frames,
        "single_per_frame": int(single.sum()) / n_frames,
        "missed_per_frame": int(missed.sum()) / n_frames,
        "tracks": len(length),
        "median_track_frames": float(length.median()),
        "flicker": _flicker(tracks[_long(tracks)]),
        "fade_rate": _fade_rate(tracks[_long(tracks)], courses),
    }


def _likely_tracks(spots: pd.DataFrame) -> pd.DataFrame:
    """Leave out tracks that are phantoms more likely than not."""
    chance = spots.groupby("track")["p_phantom"].transform("mean").to_numpy(np.float64)
    # Where nothing is known nothing is left out.
    return spots[~(chance > _LIKELY)]


def _long(spots: pd.DataFrame) -> pd.Series:
    return spots.groupby("track")["frame"].transform("size") >= _LEAST_FRAMES


def _flicker(spots: pd.DataFrame) -> float:
    ordered = spots.sort_values(["track", "frame"])
    height = ordered["response"].abs()
    by_track = height.groupby(ordered["track"])
    middle = by_track.rolling(_WINDOW, center=True, min_periods=1).median()
    jitter = height - middle.to_numpy()
    variation = jitter.groupby(ordered["track"]).std(ddof=0) / by_track.mean()
    return float(variation.mean())


def _fade_rate(spots: pd.DataFrame, courses: pd.DataFrame | None) -> float:
    if courses is None or spots.empty:
        return float("nan")
    span = spots.groupby("track")["frame"].agg(["min", "max"])
    known = courses[courses["track"].isin(span.index)]
    span = span.loc[known["track"]]
    frame = known["frame"].to_numpy()
    within = (frame >= span["min"].to_numpy()) & (frame <= span["max"].to_numpy())
    there = within & (known["present"].to_numpy(np.float64) > _LIKELY)
    if not there.any():
        return float("nan")
    return float(np.mean(~known["detected"].to_numpy(bool)[there]))
