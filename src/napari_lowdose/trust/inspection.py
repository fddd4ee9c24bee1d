"""Every particle of an estimate, with the evidence for it in the raw counts."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Real
from numpy import ndarray

from napari_lowdose.applying import Applied, applying, model_for
from napari_lowdose.config import Inspecting, Plane, Polarity
from napari_lowdose.denoiser import Progress, part_of
from napari_lowdose.networks.look import Channel
from napari_lowdose.noise import NoiseMeasurement
from napari_lowdose.particles import (
    Source,
    detect_above,
    direction_agreement,
    evidence_map,
    link,
    missed,
    no_courses,
    presence_courses,
    prevailing,
    suspicion,
    temporal_support,
    test_in_neighbours,
    test_spots,
)
from napari_lowdose.stack import Stack
from napari_lowdose.trust.checks import (
    check_pair,
    electrons_of,
    refuse_gaps,
    testable,
)
from napari_lowdose.trust.detector import detector_of
from napari_lowdose.trust.disagreement import disagreement_z, measuring_disagreement
from napari_lowdose.trust.maps import likelihood, residual

FUSED = "fused"
_N_SCALES = 4
_NO_TEST = (
    "No particle was asked for in the raw counts: what is left to judge by is whether "
    "it lasts and whether all directions show it."
)
_DARK = (
    "What stands out of this movie is dark, so that dark particles are looked for; "
    "choose the polarity in the settings to see others."
)
_NOT_APART = (
    "The directions of this model all see the same filtered movie, so that their "
    "agreement proves nothing and is left out; the model accurate has witnesses of "
    "their own."
)


@dataclass(frozen=True)
class Inspection:
    """What is to be seen in an estimate, and what the raw counts say about it.

    Parameters
    ----------
    particles
        One row per particle and frame: what was found in the estimate, and what was
        not found there though the raw counts hold it.
    courses
        The raw amplitude of each track in each of its frames, also where it was not
        found; empty where the counts could not be asked.
    estimates
        By direction where the model looked from several, and fused.
    maps
        The residual and the evidence in the raw counts, in deviations of the noise; the
        likelihood of the spots, in nats per pixel; and where the directions disagree
        more than noise makes them.
    notes
        Sentences the user should read.
    tested
        Whether the raw counts could be asked; if not, the notes say why.
    """

    particles: pd.DataFrame
    courses: pd.DataFrame
    estimates: Mapping[str, Stack]
    maps: Mapping[str, Stack]
    notes: tuple[str, ...]
    tested: bool


@dataclass(frozen=True)
class _Made:
    """An estimate and how it came about."""

    estimates: Mapping[str, Stack]
    disagreement: Float32[ndarray, "t y x"] | None
    notes: tuple[str, ...]
    witnesses: bool = True  # whether each direction looks with its own eyes only
    source: Source = Source.FUSED

    @property
    def fused(self) -> Real[ndarray, "t y x"]:
        return np.asarray(self.estimates[FUSED].data[:])

    @property
    def planes(self) -> Mapping[str, ndarray]:
        """The directions, where there are several."""
        return {
            name: np.asarray(stack.data[:])
            for name, stack in self.estimates.items()
            if name != FUSED
        }


def inspecting(
    noisy: Stack,
    settings: Inspecting,
    *,
    model: str | os.PathLike[str] = "accurate",
    estimate: Stack | None = None,
) -> Generator[Progress, None, Inspection]:
    """Find the particles of an estimate and test each on the raw counts.

    Parameters
    ----------
    noisy
        The raw counts, (t, y, x).
    settings
        What is looked for, and how.
    model
        The base model or model file that makes the estimate.
    estimate
        An estimate to inspect instead of the model's. Its directions are not known, so
        they cannot be asked.

    Returns
    -------
    Inspection
        The generator yields the model's progress and returns this.

    Raises
    ------
    ValueError
        If stack and estimate differ in shape, or the estimate has values that are no
        numbers.
    UnusableStack, CheckpointMismatch
        As `napari_lowdose.applying.apply_model`.

    References
    ----------
    Notes on algorithms, sections 26 to 28.
    """
    counts = noisy.read()
    measurement, notes = detector_of(counts, settings.detector)
    if estimate is None:
        made = yield from _denoised(noisy, settings, model, measurement)
    else:
        aside = check_pair(noisy, estimate)
        made = _Made({FUSED: estimate}, None, aside)
        refuse_gaps(made.fused)
    settings, what = looked_for(settings, made.fused)
    notes = (*notes, *made.notes, *what)
    tested = False
    if measurement is not None:
        tested, more = testable(measurement)
        notes = (*notes, *more)
    spots = found_in(made.fused, settings)
    if made.planes and made.witnesses:
        spots = direction_agreement(spots, made.planes)
    maps: dict[str, ndarray] = {}
    if measurement is not None:
        maps["residual"] = residual(counts, made.fused, measurement)
    if made.disagreement is not None:
        maps["disagreement_z"] = made.disagreement
    courses = no_courses()
    if tested and measurement is not None:
        maps["likelihood"] = likelihood(counts, made.fused, spots, measurement)
        spots, courses, maps["evidence"] = _asked(spots, counts, measurement, settings)
    else:
        notes = (*notes, _NO_TEST)
    return Inspection(
        suspicion(spots, source=made.source),
        courses,
        made.estimates,
        {name: _map_of(noisy, name, values) for name, values in maps.items()},
        notes,
        tested,
    )


def looked_for(
    settings: Inspecting, estimate: Real[ndarray, "t y x"]
) -> tuple[Inspecting, tuple[str, ...]]:
    """Settle whether bright spots or dark ones are looked for; say so of dark ones."""
    if settings.polarity is not Polarity.AUTO:
        return settings, ()
    polarity = prevailing(estimate, sigmas_of(settings))
    settled = settings.model_copy(update={"polarity": polarity})
    return settled, ((_DARK,) if polarity is Polarity.DARK else ())


def found_in(estimate: Real[ndarray, "t y x"], settings: Inspecting) -> pd.DataFrame:
    """Find the spots of an estimate and link them through time."""
    spots = detect_above(
        estimate,
        settings.n_std,
        sigmas_px=sigmas_of(settings),
        polarity=settings.polarity,
    )
    linked = link(spots, reach_px=settings.reach_px, gap_frames=settings.gap_frames)
    return temporal_support(linked, n_frames=len(estimate))


def sigmas_of(settings: Inspecting) -> tuple[float, ...]:
    """Give the scales, in pixels, for radii from the smallest to the largest."""
    small, large = settings.smallest_px, settings.largest_px
    radii = np.unique(np.geomspace(small, large, _N_SCALES))
    return tuple(float(radius) for radius in radii / np.sqrt(2))


def _denoised(
    noisy: Stack,
    settings: Inspecting,
    model: str | os.PathLike[str],
    measurement: NoiseMeasurement | None,
) -> Generator[Progress, None, _Made]:
    """Denoise the stack, and noise around the estimate, to see how directions differ.

    The first half of the progress is that of the stack.
    """
    denoiser, notes = model_for(model, noisy, settings.denoising)
    apart = Channel.WIENER not in {channel for channel, _ in denoiser.looks[0].sees}
    parts = 2 if measurement is not None and len(denoiser.planes) > 1 and apart else 1
    steps = applying(denoiser, model, noisy, notes)
    applied: Applied = yield from part_of(steps, 0, parts)
    several = len(applied.planes) > 1
    estimates = {**(applied.planes if several else {}), FUSED: applied.stack}
    if several and not apart:
        return _Made(estimates, None, (*applied.notes, _NOT_APART), witnesses=False)
    if parts == 1 or measurement is None or applied.disagreement is None:
        source = Source.XY if denoiser.planes == (Plane.XY,) else Source.FUSED
        return _Made(estimates, None, applied.notes, source=source)
    fused = np.asarray(applied.stack.data[:])
    steps_of_noise = measuring_disagreement(
        denoiser.denoising,
        fused,
        measurement,
        rng=np.random.default_rng(settings.seed),
    )
    level = yield from part_of(steps_of_noise, 1, parts)
    differ = disagreement_z(np.asarray(applied.disagreement.data[:]), level.at(fused))
    return _Made(estimates, differ, applied.notes)


def _asked(
    spots: pd.DataFrame,
    counts: Real[ndarray, "t y x"],
    measurement: NoiseMeasurement,
    settings: Inspecting,
) -> tuple[pd.DataFrame, pd.DataFrame, Float32[ndarray, "t y x"]]:
    """Ask the raw counts for each spot, and for what the estimate does not show."""
    electrons, variance, excess = electrons_of(counts, measurement)
    detector: dict[str, Any] = {"readout_variance": variance, "excess": excess}
    spots = test_spots(electrons, spots, **detector)
    spots = test_in_neighbours(electrons, spots, **detector)
    courses = presence_courses(electrons, spots, **detector)
    sigma = float(spots["sigma"].median()) if len(spots) else sigmas_of(settings)[1]
    seen = evidence_map(electrons, sigma, polarity=settings.polarity, **detector)
    there = courses.set_index(["track", "frame"])["present"]
    rows = pd.MultiIndex.from_frame(spots[["track", "frame"]])
    spots = spots.assign(present=there.reindex(rows).to_numpy(np.float64))
    return missed(spots, electrons, seen, sigma, **detector), courses, seen


def _map_of(noisy: Stack, name: str, values: ndarray) -> Stack:
    return noisy.with_data(values, name, {"step": "inspect", "map": name})
