"""All frames of a track: those of its spots, and those between and around them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int
from numpy import ndarray

_BEYOND = 2  # frames before the first and after the last of a track


def frames_of_tracks(spots: pd.DataFrame, n_frames: int) -> pd.DataFrame:
    """List the frames of each track, from two before its first spot to two after.

    Parameters
    ----------
    spots
        One row per spot: track, frame, y, x, sigma, and perhaps response; at least one.
    n_frames
        Of the movie.

    Returns
    -------
    pandas.DataFrame
        One row per track and frame, sorted by both: track, frame, y, x, sigma (between
        the spots on a line, beyond them as they are), detected, sign (-1 for a track of
        dark spots, else 1).
    """
    response = spots["response"] if "response" in spots else 1.0
    known = spots[["track", "frame", "y", "x", "sigma"]].assign(response=response)
    known = known.drop_duplicates(["track", "frame"]).sort_values(["track", "frame"])
    tracks, number = np.unique(known["track"].to_numpy(np.int64), return_inverse=True)
    frame = known["frame"].to_numpy(np.int64)
    ends = np.flatnonzero(np.diff(number, append=len(tracks)))
    first = np.maximum(frame[np.append(0, ends[:-1] + 1)] - _BEYOND, 0)
    length = np.minimum(frame[ends] + _BEYOND, n_frames - 1) - first + 1
    every = np.repeat(np.arange(len(tracks)), length)
    frames = np.arange(length.sum()) + np.repeat(
        first + length - length.cumsum(), length
    )
    span = n_frames + 1
    place, at = every * span + frames, number * span + frame
    dark = known.groupby("track")["response"].median().to_numpy() < 0
    return pd.DataFrame(
        {
            "track": tracks[every],
            "frame": frames,
            **{
                name: _between(place, at, known[name].to_numpy(np.float64), span)
                for name in ("y", "x", "sigma")
            },
            "detected": np.isin(place, at),
            "sign": np.where(dark, -1, 1)[every],
        }
    )


def _between(
    place: Int[ndarray, " n"],
    known: Int[ndarray, " m"],
    values: Float64[ndarray, " m"],
    span: int,
) -> Float64[ndarray, " n"]:
    """Interpolate along each track, and keep to its ends beyond them.

    Places are frames, those of each track `span` after those of the one before.
    """
    track = place // span
    after = np.clip(np.searchsorted(known, place), 0, len(known) - 1)
    before = np.clip(np.searchsorted(known, place, side="right") - 1, 0, None)
    after = np.where(known[after] // span == track, after, before)
    before = np.where(known[before] // span == track, before, after)
    gap = np.maximum(known[after] - known[before], 1)
    share = np.where(after == before, 0.0, (place - known[before]) / gap)
    found: ndarray = values[before] + share * (values[after] - values[before])
    return found
