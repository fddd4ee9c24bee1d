"""Who is near whom, in all frames at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy.spatial import KDTree


def within(
    frame: Int64[ndarray, " n"],
    place: Float64[ndarray, "n 2"],
    other_frame: Int64[ndarray, " m"],
    other_place: Float64[ndarray, "m 2"],
    reach_px: float,
) -> tuple[Int64[ndarray, " k"], Int64[ndarray, " k"], Float64[ndarray, " k"]]:
    """Find all pairs of places that are near each other in the same frame.

    Parameters
    ----------
    frame, place, other_frame, other_place
        Of the ones and the others: frames, and places (y, x) in pixels.
    reach_px
        How far both of a pair may be from each other, in pixels.

    Returns
    -------
    one, other, away
        Numbers of both, and the distance between them in pixels.
    """
    if not len(frame) or not len(other_frame):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    # Frames are layers so far apart that nobody reaches from one to the next.
    apart = 2 * reach_px
    ones = KDTree(np.column_stack([place, apart * frame]))
    others = KDTree(np.column_stack([other_place, apart * other_frame]))
    near = ones.sparse_distance_matrix(others, reach_px, output_type="ndarray")
    return near["i"].astype(np.int64), near["j"].astype(np.int64), near["v"]
