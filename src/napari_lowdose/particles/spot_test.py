"""Testing spots on the raw counts of their own frame."""

# ruff: noqa: PT028 (a function that tests spots is not a test of ours)

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.particles.evidence import familywise_p
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


def test_spots(
    electrons: Real[ndarray, "t y x"],
    spots: pd.DataFrame,
    *,
    readout_variance: float = 0.0,
    excess: float = 1.0,
    ground: Ground | Real[ndarray, "t y x"] = Ground.ANNULUS,
    fraction: float = 1.0,
) -> pd.DataFrame:
    """Ask the raw counts of each spot's own frame whether there is something.

    The counts around a spot are explained twice, with and without a Gaussian spot of
    its scale, whose amplitude is fitted; the background is fitted both times. Twice the
    logarithm of the ratio of the likelihoods is the evidence. What lies nearer to
    another spot, in units of its scale, is left out.

    A spot that was found in the same counts, or in an estimate made of them, was
    chosen for its evidence: it passes this test too often. Test it on counts which did
    not choose it: `test_in_neighbours`, or the part of a thinned movie that was held
    out, with its `fraction`.

    Parameters
    ----------
    electrons
        Recorded quanta (t, y, x): counts minus offset, over gain.
    spots
        One row per spot: frame, y, x, sigma, in frames and pixels, and response, below
        zero for dark spots; without it all are bright. As `detect` gives them.
    readout_variance
        Of the readout noise, in quanta squared. It is added to counts and expectation,
        which is good below about 3 quanta of deviation.
    excess
        Variance over the mean of the quanta themselves: 1 for Poisson counts, about 2
        behind an electron multiplier.
    ground
        What the background is like, or the expected quanta without spots (t, y, x).
    fraction
        Share of the quanta that `electrons` holds. The part of `napari_lowdose.noise.
        thin` that was held out of a denoiser has one minus the fraction it was given.

    Returns
    -------
    pandas.DataFrame
        The spots with these columns: amplitude (quanta in the whole spot; below zero
        for a dark one, 0 where the counts do not want it), amplitude_std, background
        (quanta per pixel), evidence, p (the chance of as much at a place chosen
        beforehand) and p_familywise (anywhere in the movie); the first three at the
        full dose.

    Raises
    ------
    ValueError
        If a column is missing or a frame is not in the movie, or if a setting is not
        possible.

    Notes
    -----
    False rates at nominal 5, 1 and 0.1 % hold from 0.02 to 10 quanta per pixel, with a
    background that is known, flat or leaning: they are 4.1 to 5.3, 0.8 to 1.2 and 0.07
    to 0.13 %. Dark spots have at most 6.3, 1.5 and 0.1 %, near half a quantum per
    pixel; below 0.1 there is nothing that could be darker.

    References
    ----------
    Notes on algorithms, section 28.
    """
    check_settings(electrons, spots, readout_variance, excess, ground)
    if not 0 < fraction <= 1:
        raise ValueError(
            f"expected a fraction of the quanta above 0 and up to 1, got {fraction}"
        )
    found = np.empty((4, len(spots)))
    columns = columns_of(spots)
    sign = signs_of(spots)
    crowd = nearest_spot(columns, electrons.shape)
    for rows, offsets in of_one_size(window_radius_px(columns[3])):
        some = columns[:, rows]
        free = apart(crowd, some, offsets)
        counts, shape, valid = windows(electrons, some, offsets, free)
        counts += readout_variance
        if isinstance(ground, Ground):
            fitted, beneath = on_ground(
                [fit_grounds(counts, shape, valid, basis_of(offsets, ground))],
                sign[rows],
            )
        else:
            behind = fraction * windows(ground, some, offsets, free)[0]
            behind += readout_variance
            fitted = on_known(counts, shape, valid, behind, sign[rows])
            beneath = behind[:, np.hypot(*offsets) == 0][:, 0]
        found[:, rows] = (
            fitted.amplitude / fraction,
            fitted.amplitude_std * np.sqrt(excess) / fraction,
            (beneath - readout_variance) / fraction,
            fitted.evidence / excess,
        )
    amplitude, amplitude_std, background, evidence = found
    p = half_chi2_p(evidence)
    return spots.assign(
        amplitude=amplitude,
        amplitude_std=amplitude_std,
        background=background,
        evidence=evidence,
        p=p,
        p_familywise=familywise_p(p, electrons.size, sigma_px=columns[3]),
    )
