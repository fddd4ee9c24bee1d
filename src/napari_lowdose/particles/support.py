"""Whether a spot is also seen in the frames around its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64
from numpy import ndarray

from napari_lowdose.particles.held_out import predicted_places
from napari_lowdose.particles.nearness import within

SUPPORT_PX = 4.0


def temporal_support(
    spots: pd.DataFrame,
    *,
    reach_px: float = SUPPORT_PX,
    w: int = 2,
    n_frames: int | None = None,
) -> pd.DataFrame:
    """Count the frames around each spot that have a spot at its place.

    The place is predicted from the spot's track, without what was found in the frame
    that is asked. Bright and dark spots do not support each other.

    Parameters
    ----------
    spots
        frame, y, x, response and perhaps track.
    reach_px
        How far from the predicted place a spot may be in the next frame; as in a random
        walk, ``sqrt(2)`` times as far in the one after it.
    w
        How many frames before and after are looked at.
    n_frames
        Of the movie; by default up to the last one with a spot.

    Returns
    -------
    pandas.DataFrame
        The spots with the columns support, the share of those ``2 w`` frames, or as
        many of them as there are (NaN in a movie of one frame), and track_frames, in
        how many frames its track has a spot.

    References
    ----------
    Notes on algorithms, section 26.3 (U1).
    """
    frame = spots["frame"].to_numpy(np.int64)
    last = frame.max(initial=-1) if n_frames is None else n_frames - 1
    supported, asked = np.zeros((2, len(spots)))
    for step in (each for each in range(-w, w + 1) if each):
        there = (frame + step >= 0) & (frame + step <= last)
        supported += there & _seen(spots, step, reach_px * float(np.sqrt(abs(step))))
        asked += there
    share = np.full(len(spots), np.nan)
    np.divide(supported, asked, out=share, where=asked > 0)
    return spots.assign(support=share, track_frames=_track_frames(spots))


def _track_frames(spots: pd.DataFrame) -> Float64[ndarray, " n"]:
    if "track" not in spots:
        return np.ones(len(spots))
    _, number, frames = np.unique(
        spots["track"].to_numpy(), return_inverse=True, return_counts=True
    )
    return frames[number].astype(np.float64)


def _seen(spots: pd.DataFrame, step: int, reach_px: float) -> Bool[ndarray, " n"]:
    """Tell which spots have one at their place so many frames later."""
    frame = spots["frame"].to_numpy(np.int64)
    sign = np.sign(spots["response"].to_numpy(np.float64))
    place = spots[["y", "x"]].to_numpy(np.float64)
    one, other, _ = within(
        frame + step, predicted_places(spots, step), frame, place, reach_px
    )
    seen = np.zeros(len(spots), bool)
    seen[one[sign[one] == sign[other]]] = True
    return seen
