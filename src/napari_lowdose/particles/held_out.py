"""Testing spots on counts that did not choose them."""

# ruff: noqa: PT028 (a function that tests spots is not a test of ours)

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int, Real
from numpy import ndarray

from napari_lowdose.particles.fitting import on_ground, on_known
from napari_lowdose.particles.ground import Ground, basis_of, fit_grounds
from napari_lowdose.particles.likelihood import half_chi2_p
from napari_lowdose.particles.surroundings import (
    apart,
    check_settings,
    columns_of,
    nearest_spot,
    signs_of,
    window_radius_px,
    windows,
)
from napari_lowdose.particles.windows import of_one_size

_BACK = 3  # frames whose places tell of the motion, before that of the spot
# Variance of a place over that of a motion from frame to frame, in frames squared: how
# much a motion is distrusted that few places tell.
_DISTRUST = 0.25
_LEAST_SHARE = 0.1  # of a spot that is in the frame


def test_in_neighbours(
    electrons: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    *,
    readout_variance: float = 0.0,
    excess: float = 1.0,
    ground: Ground | Real[ndarray, "t y x"] = Ground.ANNULUS,
) -> pd.DataFrame:
    """Ask the raw counts of the frames before and after for each spot.

    The evidence is that of one spot in both frames, with the same share of the quanta,
    at the places where its track leads to. A place in a frame is predicted without what
    was detected in that frame: a detection sits on a maximum of the noise. The first
    and the last frame have one neighbour.

    Among spots found in noise and linked, as few pass as the level says; among those of
    long tracks alone, which noise makes where it happens to be high in several frames,
    up to half more.

    A particle that is there for a single frame fails this test, whatever it is. And a
    denoiser that looks at neighbouring frames has seen these counts too: for spots in
    its estimate the test is strict only on a part of the counts that was held out.

    Parameters
    ----------
    electrons
        Recorded quanta (t, y, x).
    spots
        One row per spot: frame, y, x, sigma, and perhaps response and track. Without a
        track a spot is looked for at its own place.
    readout_variance, excess, ground
        As in `test_spots`.

    Returns
    -------
    pandas.DataFrame
        The spots with the columns held_out_evidence and p_held_out; NaN where there is
        no neighbouring frame, or the place in it is outside of it.

    Raises
    ------
    ValueError
        As `test_spots`.

    References
    ----------
    Notes on algorithms, sections 26.3 and 28.4.
    """
    check_settings(electrons, spots, readout_variance, excess, ground)
    columns = columns_of(spots)
    sign = signs_of(spots)
    beside = [_beside(spots, columns, step) for step in (-1, 1)]
    there = [_in_movie(each, electrons.shape) for each in beside]
    crowd = nearest_spot(columns, electrons.shape)
    evidence = np.full(len(spots), np.nan)
    for rows, offsets in of_one_size(window_radius_px(columns[3])):
        free = apart(crowd, columns[:, rows], offsets)
        looked = [
            _look(electrons, each[:, rows], offsets, free & seen[rows, None])
            for each, seen in zip(beside, there, strict=True)
        ]
        for counts, _, valid in looked:
            counts += readout_variance * valid
        if isinstance(ground, Ground):
            basis = basis_of(offsets, ground)
            fitted, _ = on_ground(
                [fit_grounds(*each, basis) for each in looked], sign[rows]
            )
        else:
            behind = [_look(ground, each[:, rows], offsets, free)[0] for each in beside]
            counts, shape, valid = (
                np.concatenate(parts, axis=1) for parts in zip(*looked, strict=True)
            )
            known = np.concatenate(behind, axis=1) + readout_variance
            fitted = on_known(counts, shape, valid, known, sign[rows])
        share = np.sum([np.sum(h * valid, axis=1) for _, h, valid in looked], axis=0)
        evidence[rows] = np.where(share > _LEAST_SHARE, fitted.evidence, np.nan)
    evidence /= excess
    return spots.assign(held_out_evidence=evidence, p_held_out=half_chi2_p(evidence))


def combine_p(p: Float[ndarray, "k n"]) -> Float64[ndarray, " n"]:
    """Combine tests of the same spots on several random parts of the same counts.

    Twice the median is a valid chance, however the parts depend on each other, and
    nearer to one than need be.

    Parameters
    ----------
    p
        Chances; one row per part (`napari_lowdose.noise.thin` with another generator),
        one column per spot.

    References
    ----------
    N. Meinshausen et al., J. Am. Stat. Assoc. 104, 1671 (2009); L. Ruschendorf, Adv.
    Appl. Probab. 14, 623 (1982).
    """
    combined: ndarray = np.minimum(2 * np.median(p, axis=0), 1.0)
    return combined


def predicted_places(spots: pd.DataFrame, step: int) -> Float64[ndarray, "n 2"]:
    """Predict where each spot's particle is in another frame.

    A line is fitted to the places of its track in the spot's own frame and up to three
    farther away from the frame that is asked about. What was detected in that frame
    has no say, nor has what is linked through it: both sit where the noise is high. Few
    places lie on a line by chance, so their motion counts less: for two by half.

    Parameters
    ----------
    spots
        One row per spot: frame, y, x and perhaps track, in frames and pixels.
    step
        Frames ahead; below zero back. Not zero.

    Returns
    -------
    numpy.ndarray
        Places (y, x). Without a track, or with one of a single frame, the spot's own.
    """
    place = spots[["y", "x"]].to_numpy(np.float64)
    if "track" not in spots or not len(spots):
        return place
    steps = [-each if step > 0 else each for each in range(_BACK + 1)]
    found = np.stack([_along_track(spots, each) for each in steps])
    there = ~np.isnan(found[:, :, 0])
    time = np.where(there, np.array(steps, np.float64)[:, None], 0.0)
    n = there.sum(axis=0)
    middle = time.sum(axis=0) / n
    found = np.where(there[:, :, None], found, 0.0)
    centre = found.sum(axis=0) / n[:, None]
    spread = np.where(there, time - middle, 0.0)
    motion = np.einsum("kn,kna->na", spread, found)
    motion /= (np.sum(spread**2, axis=0) + _DISTRUST)[:, None]
    predicted: ndarray = centre + (step - middle)[:, None] * motion
    return predicted


def _along_track(spots: pd.DataFrame, step: int) -> Float64[ndarray, "n 2"]:
    """Give the place of each spot's track some frames later; NaN if it is not there."""
    table = spots[["track", "frame", "y", "x"]].drop_duplicates(["track", "frame"])
    later = table.assign(frame=table["frame"] - step)
    keys = spots[["track", "frame"]]
    both = keys.merge(later, on=["track", "frame"], how="left", sort=False)
    places: ndarray = both[["y", "x"]].to_numpy(np.float64)
    return places


def _beside(
    spots: pd.DataFrame, columns: Float64[ndarray, "4 n"], step: int
) -> Float64[ndarray, "4 n"]:
    """Give frame, y, x, sigma where each particle is expected in a neighbour."""
    place = predicted_places(spots, step)
    return np.stack([columns[0] + step, *place.T, columns[3]])


def _in_movie(
    columns: Float64[ndarray, "4 n"], shape: tuple[int, ...]
) -> Bool[ndarray, " n"]:
    limits = np.array([shape[0] - 1, shape[1] - 0.5, shape[2] - 0.5])[:, None]
    least = np.array([0, -0.5, -0.5])[:, None]
    within = (columns[:3] >= least) & (columns[:3] <= limits)
    inside: ndarray = np.logical_and.reduce(within, axis=0)
    return inside


def _look(
    stack: Real[ndarray, "t y x"],
    columns: Float64[ndarray, "4 n"],
    offsets: Int[ndarray, "2 p"],
    free: Bool[ndarray, "n p"],
) -> tuple[Float64[ndarray, "n p"], Float64[ndarray, "n p"], Bool[ndarray, "n p"]]:
    """Gather windows; before the first frame and after the last one, of these."""
    frame = np.clip(columns[:1], 0, len(stack) - 1)
    return windows(stack, np.concatenate([frame, columns[1:]]), offsets, free)
