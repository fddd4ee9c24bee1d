"""What is gathered around spots: their pixels, without those of other spots."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, Int, Real
from numpy import ndarray

from napari_lowdose.particles.ground import Ground
from napari_lowdose.particles.windows import (
    distance_px,
    gaussian_spots,
    of_one_size,
    pixels_around,
)

# In deviations of a spot: where it ends, and the least and the widest that is looked at
# around it. Beyond five deviations the background would hardly be known better.
_EDGE, _RIM, _RIM_PX = 3.0, 5.0, 3.0
_NOBODY = np.float32(_EDGE)


def check_settings(
    electrons: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    readout_variance: float,
    excess: float,
    ground: Ground | Real[ndarray, "t y x"],
) -> None:
    """Refuse what cannot be tested."""
    missing = [name for name in ("frame", "y", "x", "sigma") if name not in spots]
    if missing:
        raise ValueError(
            f"expected spots with frame, y, x and sigma, {', '.join(missing)} missing;"
            " give the table of particles.detect"
        )
    frames = spots["frame"].to_numpy()
    if len(frames) and not (0 <= frames.min() and frames.max() < len(electrons)):
        raise ValueError(
            f"expected frames from 0 to {len(electrons) - 1}, the movie's, got"
            f" {frames.min()} to {frames.max()}; give the movie the spots were found in"
        )
    if len(frames) and not spots["sigma"].min() > 0:
        raise ValueError("expected spots with a sigma above zero, in pixels")
    if readout_variance < 0 or excess <= 0:
        raise ValueError(
            "expected a readout variance of at least 0 and an excess above 0, got"
            f" {readout_variance} and {excess}"
        )
    if isinstance(ground, Ground):
        return
    if ground.shape != electrons.shape or not ground.min() > -readout_variance:
        raise ValueError(
            "expected a background above zero in every voxel of a movie of shape"
            f" {electrons.shape}, got {ground.shape} down to {ground.min():.3g}; give a"
            " floor such as 0.001 quanta, or Ground.ANNULUS"
        )


def columns_of(spots: pd.DataFrame) -> Float64[ndarray, "4 n"]:
    """Give frame, y, x and sigma."""
    columns: ndarray = spots[["frame", "y", "x", "sigma"]].to_numpy(np.float64).T
    return columns


def signs_of(spots: pd.DataFrame) -> Int[ndarray, " n"]:
    """Tell bright spots, 1, from dark ones, -1."""
    if "response" not in spots:
        return np.ones(len(spots), np.int64)
    return np.where(spots["response"].to_numpy(np.float64) < 0, -1, 1)


def window_radius_px(sigma_px: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
    """Say how far around each spot is looked."""
    radius: ndarray = np.maximum(_RIM * sigma_px, _EDGE * sigma_px + _RIM_PX)
    return radius


def windows(
    stack: Real[ndarray, "t y x"],
    columns: Float64[ndarray, "4 n"],
    offsets: Int[ndarray, "2 p"],
    free: Bool[ndarray, "n p"],
) -> tuple[Float64[ndarray, "n p"], Float64[ndarray, "n p"], Bool[ndarray, "n p"]]:
    """Gather values around spots, the spots' shapes, and which pixels count."""
    frame, centre, sigma = columns[0].astype(np.int64), columns[1:3].T, columns[3]
    inside, y, x = pixels_around(centre, offsets, stack.shape[1:])
    values = stack[frame[:, None], y, x].astype(np.float64)
    away = distance_px(centre, offsets)
    valid = inside & free & (away <= window_radius_px(sigma)[:, None])
    return values, gaussian_spots(centre, sigma, offsets), valid


def nearest_spot(
    columns: Float64[ndarray, "4 n"], shape: tuple[int, ...]
) -> Float32[ndarray, "t y x"]:
    """Map how far the nearest spot is, in its own deviations; 3 where it ends."""
    nearest = np.full(shape, _NOBODY)
    for rows, offsets in of_one_size(_EDGE * columns[3]):
        frame, centre, sigma = columns[0, rows], columns[1:3, rows].T, columns[3, rows]
        inside, y, x = pixels_around(centre, offsets, shape[1:])
        away = (distance_px(centre, offsets) / sigma[:, None]).astype(np.float32)
        t = np.broadcast_to(frame.astype(np.int64)[:, None], y.shape)
        np.minimum.at(nearest, (t[inside], y[inside], x[inside]), away[inside])
    return nearest


def apart(
    nearest: Float32[ndarray, "t y x"],
    columns: Float64[ndarray, "4 n"],
    offsets: Int[ndarray, "2 p"],
) -> Bool[ndarray, "n p"]:
    """Tell which pixels of a window are no other spot's."""
    centre = columns[1:3].T
    _, y, x = pixels_around(centre, offsets, nearest.shape[1:])
    others = nearest[columns[0].astype(np.int64)[:, None], y, x]
    own = (distance_px(centre, offsets) / columns[3][:, None]).astype(np.float32)
    free: ndarray = (others >= _NOBODY) | (others >= own)
    return free
