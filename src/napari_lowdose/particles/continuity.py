"""Whether particles stay what they are from frame to frame, and come in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.particles.apertures import local_intensity
from napari_lowdose.specimens import Happening

_LEAST_FRAMES = 10
# A clean intensity below this share of its track's median says little: the particle
# grows, or has a neighbour in its ring.
_LEAST_SHARE = 0.3
_FADED = 0.5
_HALF = 0.5
_BEFORE, _AFTER = 8, 8
# The step is over, and the events are enough for a mean course.
_SETTLED, _LEAST_EVENTS = 3, 8


@dataclass(frozen=True)
class Continuity:
    """How particles' brightness in an estimate goes with the true one.

    Parameters
    ----------
    n_tracks
        Tracks of 10 frames or more, in which the particle is visible.
    flicker
        Coefficient of variation, along a track, of the intensity over the clean one;
        mean over tracks. 0 in the clean movie.
    fade_rate
        Share of those frames in which the intensity over the clean one is less than
        half of its median along the track.
    slope
        Of the intensity against the clean one, through the origin and all tracks.
    """

    n_tracks: int
    flicker: float
    fade_rate: float
    slope: float


@dataclass(frozen=True)
class Appearances:
    """How an estimate shows what truly appears.

    Parameters
    ----------
    n_events
        True births and returns that were looked at.
    delay_frames
        Frames from the appearance until the intensity is half of the clean one: 0 when
        it is so at once; mean over the events. One that never gets there counts with
        the frames for which it was looked at.
    late_share
        Share of the events that took more than 2 frames.
    rise_frames
        From 10 to 90 % of the step, on the mean of all events; a true step has 0.8. A
        filter that looks ahead is in time by `delay_frames` but slow by this. NaN for
        fewer than 8 events.
    """

    n_events: int
    delay_frames: float
    late_share: float
    rise_frames: float


def continuity(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    particles: pd.DataFrame,
) -> Continuity:
    """Follow each particle at its true places.

    Parameters
    ----------
    estimate, truth
        Counts of shape (t, y, x).
    particles
        As in `napari_lowdose.specimens.Scene.particles`.

    Returns
    -------
    Continuity
        With NaN where no track is long enough.

    References
    ----------
    Notes on algorithms, section 27.
    """
    tracks = _tracks(estimate, truth, particles)
    if not tracks:
        return Continuity(0, np.nan, np.nan, np.nan)
    ratios = [seen / clean for seen, clean in tracks]
    flicker = [ratio.std() / abs(ratio.mean()) for ratio in ratios]
    faded = [ratio < _FADED * np.median(ratio) for ratio in ratios]
    seen, clean = (np.concatenate(values) for values in zip(*tracks, strict=True))
    return Continuity(
        len(tracks),
        float(np.mean(flicker)),
        float(np.concatenate(faded).mean()),
        float(np.dot(seen, clean) / np.dot(clean, clean)),
    )


def _tracks(
    estimate: ndarray, truth: ndarray, particles: pd.DataFrame
) -> list[tuple[Float64[ndarray, " n"], Float64[ndarray, " n"]]]:
    """Measure estimated and clean intensities along each long track."""
    visible = particles[particles["visible"].to_numpy(bool)]
    table = pd.DataFrame(
        {
            "id": visible["id"].to_numpy(),
            "seen": local_intensity(estimate, visible),
            "clean": local_intensity(truth, visible),
        }
    )
    tracks = []
    for _, track in table.groupby("id"):
        seen, clean = track["seen"].to_numpy(float), track["clean"].to_numpy(float)
        typical = np.median(clean)
        kept = clean / typical > _LEAST_SHARE if typical else np.zeros(len(clean), bool)
        if kept.sum() >= _LEAST_FRAMES:
            tracks.append((seen[kept], clean[kept]))
    return tracks


def appearances(
    estimate: Real[ndarray, "t y x"],
    truth: Real[ndarray, "t y x"],
    particles: pd.DataFrame,
    events: pd.DataFrame,
    *,
    margin_px: float = 4.0,
) -> Appearances:
    """Measure how soon a particle that is born or returns is seen.

    Parameters
    ----------
    estimate, truth
        Counts of shape (t, y, x).
    particles, events
        As in `napari_lowdose.specimens.Scene`.
    margin_px
        What appears in this rim of the frames is left out: it has drifted in.

    Returns
    -------
    Appearances
        With NaN where nothing appears.
    """
    courses = [
        course
        for row in _steps(particles, events, truth.shape, margin_px)
        if (course := _course(estimate, truth, row)) is not None
    ]
    if not courses:
        return Appearances(0, np.nan, np.nan, np.nan)
    delays = np.array([_delay(seen, clean) for seen, clean in courses], float)
    return Appearances(
        len(courses),
        float(delays.mean()),
        float(np.mean(delays > 2)),
        _rise(*(np.stack(values) for values in zip(*courses, strict=True)))
        if len(courses) >= _LEAST_EVENTS
        else np.nan,
    )


def _steps(
    particles: pd.DataFrame,
    events: pd.DataFrame,
    shape: tuple[int, ...],
    margin_px: float,
) -> Iterator[pd.DataFrame]:
    """Give the places of each particle around its appearance, one table per event."""
    n_frames, *sizes = shape
    last = np.array(sizes) - 1 - margin_px
    came = events[events["kind"].isin([Happening.BIRTH.value, Happening.RETURN.value])]
    tracks = dict(tuple(particles.groupby("id")))
    for frame, name in came[["frame", "id"]].to_numpy(int):
        track = tracks[name].set_index("frame")
        if frame < 1 or frame not in track.index:
            continue
        place = track.loc[frame, ["y", "x"]].to_numpy(float)
        if ((place >= margin_px) & (place <= last)).all():
            span = range(max(frame - _BEFORE, 0), min(frame + _AFTER + 1, n_frames))
            # Before a birth, and after a death, where it was first or last.
            around = track[["y", "x", "radius"]].reindex(span).bfill().ffill()
            around["visible"] = track["visible"].reindex(span, fill_value=False)
            around["step"] = np.array(span) - frame
            yield around.reset_index()


def _course(
    estimate: ndarray, truth: ndarray, row: pd.DataFrame
) -> tuple[Float64[ndarray, " k"], Float64[ndarray, " k"]] | None:
    """Measure intensities from some frames before the step to some after it.

    NaN where there is no frame or the particle has gone dark again.
    """
    seen, clean = (np.full(_BEFORE + _AFTER + 1, np.nan) for _ in range(2))
    step = row["step"].to_numpy(int)
    visible = row["visible"].to_numpy(bool)
    dark_again = np.cumsum((step >= 0) & ~visible) > 0
    dark_before = np.cumsum(((step < 0) & visible)[::-1])[::-1] > 0
    kept = ~dark_again & ~dark_before
    row = row[kept]
    place = step[kept] + _BEFORE
    seen[place] = local_intensity(estimate, row)
    clean[place] = local_intensity(truth, row)
    sign = np.sign(np.nansum(clean[_BEFORE:]))  # below zero for dark particles
    return (sign * seen, sign * clean) if sign else None


def _delay(seen: ndarray, clean: ndarray) -> int:
    after = ~np.isnan(clean[_BEFORE:])
    reached = seen[_BEFORE:][after] >= _HALF * clean[_BEFORE:][after]
    return int(np.argmax(reached)) if reached.any() else int(after.sum())


def _rise(seen: Float64[ndarray, "n k"], clean: Float64[ndarray, "n k"]) -> float:
    """Measure frames from a tenth to nine tenths of the mean step."""
    full = clean.copy()
    # Before the step each event weighs as it does right after it.
    full[:, :_BEFORE] = np.where(
        np.isnan(clean[:, :_BEFORE]), np.nan, clean[:, _BEFORE, None]
    )
    both = ~np.isnan(full) & ~np.isnan(seen)
    weight = np.where(both, full, 0.0).sum(axis=0)
    usable = weight > 0
    step = np.flatnonzero(usable)
    course = np.where(both, seen, 0.0).sum(axis=0)[usable] / weight[usable]
    top = float(np.mean(course[step >= _BEFORE + _SETTLED]))
    below = np.flatnonzero(course < 0.1 * top)
    start = int(below[-1]) if len(below) else 0
    above = np.flatnonzero(course[start:] >= 0.9 * top)
    end = start + int(above[0]) if len(above) else len(course) - 1
    return _crossing(step, course, end, 0.9 * top) - _crossing(
        step, course, start + 1, 0.1 * top
    )


def _crossing(step: ndarray, course: ndarray, after: int, level: float) -> float:
    """Find, between a frame and the one before, where the course passes a level."""
    if not 0 < after < len(course):
        return float(step[min(max(after, 0), len(step) - 1)])
    low, high = course[after - 1], course[after]
    share = (level - low) / (high - low) if high > low else 1.0
    return float(step[after] - 1 + min(max(share, 0.0), 1.0))
