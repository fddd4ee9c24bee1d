"""Whether the directions of a denoiser agree about a spot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.particles.detection import log_response, response_noise


def direction_agreement(
    spots: pd.DataFrame, planes: Mapping[Any, Real[ndarray, "t y x"]]
) -> pd.DataFrame:
    """Ask each direction's own estimate for the spots of another estimate.

    Noise that looks like a particle in x-y is not one in x-t: what is in all three
    directions is hardly noise.

    Parameters
    ----------
    spots
        frame, y, x, sigma and response, as `detect` gives them.
    planes
        Estimates by direction, in counts (t, y, x).

    Returns
    -------
    pandas.DataFrame
        The spots with the columns direction_min, the least response of all directions,
        each in deviations of that direction's own fluctuations (`response_noise`), and
        direction_spread, the deviation of the responses, in counts, over their mean.
        With one direction there is no spread, without any nothing: NaN. So it is where
        the response of the spot is NaN, which was not found in the estimate.

    References
    ----------
    Notes on algorithms, section 26.3 (U3).
    """
    n_spots = len(spots)
    responses = np.full((len(planes), n_spots), np.nan)
    heights = np.full((len(planes), n_spots), np.nan)
    sigma = spots["sigma"].to_numpy(np.float64)
    scales, number = np.unique(sigma, return_inverse=True)
    for row, stack in enumerate(planes.values()):
        responses[row] = responses_at(stack, spots)
        noise = np.maximum(response_noise(stack, tuple(scales)), np.finfo(float).tiny)
        heights[row] = responses[row] / noise[number]
    spread = np.full(n_spots, np.nan)
    if len(planes) > 1:
        mean = np.abs(responses.mean(axis=0))
        np.divide(responses.std(axis=0), mean, out=spread, where=mean > 0)
    least = heights.min(axis=0) if planes else spread
    return spots.assign(direction_min=least, direction_spread=spread)


def responses_at(
    stack: Real[ndarray, "t y x"], spots: pd.DataFrame, *, within_px: int = 1
) -> Float64[ndarray, " n"]:
    """Measure the response of an estimate at spots that were found in another one.

    Parameters
    ----------
    stack
        Counts (t, y, x).
    spots
        frame, y, x, sigma and response: the filter has the scale of the spot, and a
        dark spot's response is above zero where the stack is dark.
    within_px
        The largest response so near along y and x is taken.
    """
    frame = spots["frame"].to_numpy(np.int64)
    place = np.rint(spots[["y", "x"]].to_numpy(np.float64)).astype(np.int64)
    sign = np.sign(spots["response"].to_numpy(np.float64))
    sigma = spots["sigma"].to_numpy(np.float64)
    around = np.mgrid[-within_px : within_px + 1, -within_px : within_px + 1]
    limits = np.array(stack.shape[1:])[:, None, None] - 1
    y, x = np.clip(place.T[:, :, None] + around.reshape(2, 1, -1), 0, limits)
    found = np.empty(len(spots))
    for scale in np.unique(sigma):
        some = np.flatnonzero(sigma == scale)
        # Frames without such spots need no filtering.
        frames, number = np.unique(frame[some], return_inverse=True)
        response = log_response(stack[frames], float(scale))
        values = response[number[:, None], y[some], x[some]] * sign[some, None]
        found[some] = values.max(axis=1)
    return found
